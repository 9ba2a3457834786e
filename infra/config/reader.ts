import * as pulumi from "@pulumi/pulumi";

/** What a key may hold, told to whoever set it wrongly. */
interface Allowed<T> {
  readonly says: string;
  readonly accepts: (value: T) => boolean;
}

/** Whole numbers from `from` to `to`, both included. */
export function between(from: number, to: number): Allowed<number> {
  return { says: `a whole number from ${from} to ${to}`, accepts: (n) => Number.isInteger(n) && n >= from && n <= to };
}

/** One of a few words or numbers. */
export function oneOf<T extends string | number>(...values: readonly T[]): Allowed<T> {
  return { says: `one of ${values.join(", ")}`, accepts: (value) => values.includes(value) };
}

/** Text of a form that a person is told in words. */
export function matching(pattern: RegExp, says: string): Allowed<string> {
  return { says, accepts: (text) => pattern.test(text) };
}

/**
 * Reads the stack's configuration and collects every mistake instead of stopping at the first, so that one `pulumi up` tells all
 * that is to be mended. Defaults live in Pulumi.yaml, nowhere here.
 */
export class ConfigReader {
  readonly #config: pulumi.Config;
  readonly #mistakes: string[] = [];
  /** Keys that a mistake was told of: another one of the same key would only follow from it. */
  readonly #refused = new Set<string>();
  /** Keys that were asked for. */
  readonly #read = new Set<string>();

  constructor(config: pulumi.Config) {
    this.#config = config;
  }

  /** Text, or "" where the key is empty and `optional` is set. */
  text(key: string, allowed: Allowed<string>, options: { readonly optional?: boolean } = {}): string {
    const value = this.#raw(key);
    if (value === undefined) return "";
    if (value === "" && options.optional) return "";
    if (!allowed.accepts(value))
      this.#refuse(key, value, options.optional ? `${allowed.says}, or empty` : allowed.says);
    return value;
  }

  /** One of `values`; the first of them where the key is wrong, which the collected mistake keeps from being used. */
  choice<const T extends string>(key: string, values: readonly [T, ...T[]]): T {
    const value = this.#raw(key);
    const found = values.find((allowed) => allowed === value);
    if (value !== undefined && found === undefined) this.#refuse(key, value, oneOf(...values).says);
    return found ?? values[0];
  }

  /** A whole number; NaN where the key is wrong, which the collected mistake keeps from being used. */
  integer(key: string, allowed: Allowed<number>): number {
    const value = this.#raw(key);
    if (value === undefined) return Number.NaN;
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (allowed.accepts(number)) return number;
    this.#refuse(key, value, allowed.says);
    return Number.NaN;
  }

  /** true or false, spelled so. */
  flag(key: string): boolean {
    const value = this.#raw(key);
    if (value !== undefined && value !== "true" && value !== "false") this.#refuse(key, value, "true or false");
    return value === "true";
  }

  /** A list of texts, each of the form that `allowed` says, none of them twice. */
  list(key: string, allowed: Allowed<string>): readonly string[] {
    const value = this.#raw(key);
    if (value === undefined) return [];
    const items = parseList(value);
    if (items === undefined || !items.every(allowed.accepts) || new Set(items).size !== items.length) {
      this.#refuse(key, value, `a list without doubles, each item ${allowed.says}`);
      return [];
    }
    return items;
  }

  /** Notes a mistake that only several keys together show. `key` is the one to mend first. */
  refuse(key: string, value: unknown, allowed: string): void {
    this.#refuse(key, typeof value === "string" ? value : JSON.stringify(value), allowed);
  }

  /** Notes that several keys do not go together, in words of their own. */
  conflict(mistake: string): void {
    this.#mistakes.push(mistake);
  }

  /** Throws one error that names every mistake, or does nothing when there was none. */
  finish(): void {
    this.#refuseKeysOfOthers();
    if (this.#mistakes.length === 0) return;
    const count = this.#mistakes.length === 1 ? "1 mistake" : `${this.#mistakes.length} mistakes`;
    throw new pulumi.RunError(
      `${count} in the configuration of stack ${pulumi.getStack()}:\n${this.#mistakes.map((line) => `  - ${line}`).join("\n")}`,
    );
  }

  /** The engine hands them over too, and nothing reads them: what they were to set would be left at its default without a word. */
  #refuseKeysOfOthers(): void {
    const own = this.#config.name;
    const found = Object.keys(pulumi.runtime.allConfig()).filter((key) => {
      const [namespace, name = ""] = key.split(":");
      return namespace !== own && this.#read.has(name);
    });
    if (found.length === 0) return;
    this.#mistakes.push(
      `${found.sort().join(", ")}: of another project than ${own}, and so never read; allowed: the same keys without the ` +
        "part before the colon, which are this project's",
    );
  }

  #raw(key: string): string | undefined {
    this.#read.add(key);
    const value = this.#config.get(key);
    if (value === undefined) this.#refuse(key, undefined, "a value; Pulumi.yaml describes it");
    return value;
  }

  #refuse(key: string, value: string | undefined, allowed: string): void {
    if (this.#refused.has(key)) return;
    this.#refused.add(key);
    const has = value === undefined ? "is not set" : `is ${JSON.stringify(value)}`;
    this.#mistakes.push(`${this.#config.name}:${key} ${has}; allowed: ${allowed}`);
  }
}

function parseList(value: string): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === "string") ? parsed : undefined;
  } catch {
    return undefined;
  }
}
