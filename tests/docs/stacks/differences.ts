import { readStackConfiguration } from "../../../local/program/configuration.ts";
import type { DeclaredResource } from "../../../local/program/resource.ts";
import { evaluate, type Program } from "../../../local/program.ts";
import { propertyInWords, resourceInWords, valueInWords } from "./words.ts";

/** One way in which two stacks are declared differently, in words. */
export interface Difference {
  readonly resource: string;
  readonly property: string;
  readonly production: string;
  readonly staging: string;
  /** Configuration keys that make it. */
  readonly because: readonly string[];
}

/** Properties that say in words, or draw, what other properties say. */
const REPEATED = /^(?:alarmDescription|dashboardBody)\b/;

/** A property of a resource that may differ; the key is the same in every stack. */
interface Leaf {
  readonly resource: DeclaredResource;
  readonly property: string;
  readonly value: unknown;
}

/**
 * Every difference between the declared stacks, sorted. Both are evaluated under one name, so that only what they are differs and
 * not what they are called.
 */
export async function stackDifferences(): Promise<readonly Difference[]> {
  const [production, staging] = await Promise.all([under("production"), under("staging")]);
  const [here, there] = [leavesOf(production), leavesOf(staging)];
  const keys = [...new Set([...here.keys(), ...there.keys()])].filter(
    (key) => !same(here.get(key)?.value, there.get(key)?.value),
  );
  const because = await causesOf(keys, there);
  const differences = keys.map((key) => {
    const leaf = here.get(key) ?? there.get(key);
    if (leaf === undefined) throw new Error(`${key} is in neither stack`);
    return {
      resource: resourceInWords(leaf.resource),
      property: propertyInWords(leaf.property),
      production: valueInWords(here.get(key)?.value),
      staging: valueInWords(there.get(key)?.value),
      because: because.get(key) ?? [],
    };
  });
  return merged(differences);
}

/** Keys that the stack files set differently, with the values of both stacks. */
export async function configurationDifferences(): Promise<ReadonlyMap<string, readonly [string, string]>> {
  const [production, staging] = await Promise.all([
    readStackConfiguration("production"),
    readStackConfiguration("staging"),
  ]);
  const own = Object.keys({ ...production.values, ...staging.values }).filter((key) => !key.startsWith("aws:"));
  const pairs = own.map(
    (key) => [key.split(":")[1] ?? key, [production.values[key] ?? "", staging.values[key] ?? ""]] as const,
  );
  return new Map(pairs.filter(([, [one, other]]) => one !== other).sort());
}

/** For each difference, the keys that move staging's value when they alone take production's. */
async function causesOf(
  keys: readonly string[],
  staging: ReadonlyMap<string, Leaf>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const causes = new Map<string, string[]>();
  const configuration = await configurationDifferences();
  for (const [name, [value]] of configuration) {
    const config = { [name]: value, ...COMPANIONS[name]?.(configuration) };
    // The tier of staging stays: production's refuses a stack that is not all of a production.
    if (name === "tier") continue;
    const moved = leavesOf(await under("staging", config));
    for (const key of keys) {
      if (!same(moved.get(key)?.value, staging.get(key)?.value)) causes.set(key, [...(causes.get(key) ?? []), name]);
    }
  }
  return causes;
}

/** Keys that another cannot take production's value without, and that move nothing of what it moves. */
const COMPANIONS: Readonly<
  Record<string, (configuration: ReadonlyMap<string, readonly [string, string]>) => Readonly<Record<string, string>>>
> = {
  // More tasks would open more connections than staging's database has.
  maxTasks: () => ({ poolOversubscription: "20" }),
};

function under(stack: string, config: Readonly<Record<string, string>> = {}): Promise<Program> {
  return evaluate(stack, { config, stackName: "stack" });
}

/** Everything that may differ, of what the program declares itself: what awsx makes follows from that. */
function leavesOf(program: Program): ReadonlyMap<string, Leaf> {
  const own = program.resources.filter(({ type, madeBy }) => /^awsx?:/.test(type) && madeBy === undefined);
  const leaves = own.flatMap((resource) =>
    flat({ ...resource.inputs, ...optionsOf(resource), declared: true }, "")
      .filter(([property]) => !REPEATED.test(property))
      .map(([property, value]): [string, Leaf] => [`${resource.urn} ${property}`, { resource, property, value }]),
  );
  return new Map(leaves);
}

function optionsOf({ options }: DeclaredResource): Readonly<Record<string, boolean>> {
  return { protect: options.protect, retainOnDelete: options.retainOnDelete };
}

function flat(value: unknown, path: string): readonly [string, unknown][] {
  if (typeof value === "string" && /^[[{]/.test(value)) {
    try {
      return flat(JSON.parse(value), path);
    } catch {
      return [[path, value]];
    }
  }
  if (typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => flat(inner, path === "" ? key : `${path}.${key}`));
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Resources of which the same is to be said become one row; those that one stack only has are said once, not by property. */
function merged(differences: readonly Difference[]): readonly Difference[] {
  const alone = new Set(differences.filter(({ property }) => property === "declared").map(({ resource }) => resource));
  const rows = new Map<string, Difference>();
  for (const difference of differences) {
    if (alone.has(difference.resource) && difference.property !== "declared") continue;
    const { resource, ...rest } = difference;
    const key = JSON.stringify(rest);
    const row = rows.get(key);
    const resources = row === undefined ? [resource] : [...new Set([...row.resource.split(", "), resource])].sort();
    rows.set(key, { ...difference, resource: resources.join(", ") });
  }
  return [...rows.values()].sort((one, other) => order(one) - order(other) || compare(one, other));
}

function order({ because }: Difference): number {
  return because.length === 0 ? 1 : 0;
}

function compare(one: Difference, other: Difference): number {
  const text = ({ resource, property }: Difference) => `${resource} ${property}`;
  return text(one) < text(other) ? -1 : 1;
}
