import type { Fields } from "./fields.ts";
import type { Resource, Stack, Tier } from "./stack.ts";

export type Severity = "low" | "medium" | "high" | "critical";

/** One thing that a review asks of a stack, as data. */
export interface Control {
  /** Stable name in kebab-case. Never reuse one for something else: exceptions and reports name it. */
  readonly id: string;
  /** What holds when it passes: one sentence without a full stop. */
  readonly title: string;
  /**
   * Who asks for it, by their ids: Security Hub FSBP (`RDS.2`), CIS AWS Foundations 3.0 (`CIS 2.3.1`), AWS Config, checkov (`CKV_…`),
   * trivy (`AVD-AWS-…`), prowler, cdk-nag (`AwsSolutions-…`), or the title of an AWS page in quotes.
   */
  readonly sources: readonly string[];
  readonly severity: Severity;
  /** Tiers that it holds for. Default both. */
  readonly tiers?: readonly Tier[];
  /** What staging may have instead, for the table of differences. Required where staging is asked less. */
  readonly staging?: string;
  /** The resources that it looks at. None at all fails: see `unneeded`. */
  readonly selects: (stack: Stack) => readonly Resource[];
  /** Why it may be that there is nothing to look at; undefined when there must be. */
  readonly unneeded?: (stack: Stack) => string | undefined;
  /** What is wrong with one of them, in words; empty when all is well. May throw NotKnownYet. */
  readonly check: (resource: Resource, stack: Stack) => readonly string[];
}

/** A sentence on what is wrong: what, with which value, and what is allowed. */
export function wrong(what: string, value: unknown, allowed: string): string {
  return `${what} ${shown(value)}; allowed: ${allowed}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "is not set";
  if (!Array.isArray(value)) return `is ${JSON.stringify(value)}`;
  return value.length === 1 ? `is ${JSON.stringify(value[0])}` : `are ${value.join(", ") || "none"}`;
}

/** Violations where `holds` is false. */
export function unless(holds: boolean, what: string, value: unknown, allowed: string): readonly string[] {
  return holds ? [] : [wrong(what, value, allowed)];
}

/** Selects all resources of some types. */
export const every =
  (...types: readonly string[]) =>
  (stack: Stack): readonly Resource[] =>
    stack.ofType(...types);

/** Checks that a property is true. */
export const mustBeTrue =
  (property: string) =>
  ({ fields }: Resource): readonly string[] =>
    unless(fields.isTrue(property), property, fields.value(property), "true");

/** Checks that a property is false or not set. */
export const mustNotBeTrue =
  (property: string) =>
  ({ fields }: Resource): readonly string[] =>
    unless(!fields.isTrue(property), property, true, "false");

/** Checks that a property is one of some texts. */
export const mustBeOneOf =
  (property: string, allowed: readonly string[]) =>
  ({ fields }: Resource): readonly string[] =>
    oneOf(fields, property, allowed);

/** Violations where a property is none of some texts. */
export function oneOf(fields: Fields, property: string, allowed: readonly string[]): readonly string[] {
  const value = fields.text(property);
  const path = fields.path === "" ? property : `${fields.path}.${property}`;
  return unless(value !== undefined && allowed.includes(value), path, value, allowed.join(", "));
}
