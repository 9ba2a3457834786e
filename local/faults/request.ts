import { definitionOf, FAULT_NAMES, type FaultName, type Parameter } from "./catalogue.ts";
import { FaultError } from "./error.ts";

/** A fault that is asked for: its name, and such of its parameters as are not to have their defaults. */
export type FaultRequest = { readonly fault: FaultName } & {
  readonly [parameter in "durationMs" | "downMs" | "ms" | "seconds" | "windowMs"]?: number;
};

/** A request that makes sense, complete. */
export interface ReadRequest {
  readonly fault: FaultName;
  readonly parameters: Readonly<Record<string, number>>;
}

/**
 * Reads a request for a fault, wherever it comes from.
 *
 * @throws FaultError INVALID_FAULT with every mistake, and what is allowed instead
 */
export function readFaultRequest(request: unknown): ReadRequest {
  if (typeof request !== "object" || request === null || Array.isArray(request)) {
    throw invalid([`a fault is asked for by an object such as {"fault": "latency", "ms": 50}`]);
  }
  const { fault, ...given } = request as Readonly<Record<string, unknown>>;
  const name = FAULT_NAMES.find((known) => known === fault);
  if (name === undefined) throw invalid([`fault is ${show(fault)}; allowed: ${FAULT_NAMES.join(", ")}`]);
  const { parameters } = definitionOf(name);
  const mistakes = Object.keys(given)
    .filter((key) => !Object.hasOwn(parameters, key))
    .map((key) => `${show(key)} is no parameter of ${name}; it takes ${Object.keys(parameters).join(", ") || "none"}`);
  const read: Record<string, number> = {};
  for (const [key, parameter] of Object.entries(parameters)) {
    const value = Object.hasOwn(given, key) ? given[key] : parameter.default;
    if (isWithin(value, parameter)) read[key] = value;
    else mistakes.push(`${key} is ${show(value)}; allowed: ${rangeOf(parameter)}`);
  }
  if (mistakes.length > 0) throw invalid(mistakes);
  return { fault: name, parameters: read };
}

const isWithin = (value: unknown, { min, max }: Parameter): value is number =>
  typeof value === "number" && value >= min && value <= max;

/** What a parameter may be, in words. */
export const rangeOf = ({ min, max, unit }: Parameter): string =>
  `a number from ${min} to ${max} (${unit === "ms" ? "milliseconds" : "seconds"})`;

/** Every fault with its parameters, as an answer tells it to whoever got one wrong. */
export const describeFaults = (): Readonly<Record<string, Readonly<Record<string, Parameter>>>> =>
  Object.fromEntries(FAULT_NAMES.map((name) => [name, definitionOf(name).parameters]));

const invalid = (mistakes: readonly string[]): FaultError => new FaultError("INVALID_FAULT", `${mistakes.join("; ")}.`);

/** Numbers as they are: JSON would show NaN as null. */
const show = (value: unknown): string =>
  (typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value))).slice(0, 100);
