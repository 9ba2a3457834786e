import {
  createValidatedPolicy,
  type ValidatedPolicy,
  validateIdentityPolicy,
  validateResourcePolicy,
} from "@cloud-copilot/iam-policy";
import type { PolicyDocument } from "../declared-program.ts";
import type { DeclaredRole } from "./declared-policies.ts";

const known = new WeakMap<PolicyDocument, ValidatedPolicy<{ readonly name: string }>>();

/** A role's policies as a simulation takes them. Each is validated once. */
export function identityPolicies(policies: DeclaredRole["policies"]): { name: string; policy: unknown }[] {
  return policies.map(({ name, policy }) => ({ name, policy: once(policy, name, validateIdentityPolicy) }));
}

/** The policy of a resource as a simulation takes it. */
export function resourcePolicy(policy: PolicyDocument): ValidatedPolicy<{ readonly name: string }> {
  return once(policy, "of the resource", validateResourcePolicy);
}

function once(
  policy: PolicyDocument,
  name: string,
  validate: typeof validateIdentityPolicy,
): ValidatedPolicy<{ readonly name: string }> {
  const validated = known.get(policy) ?? createValidatedPolicy(policy, validate, { name });
  known.set(policy, validated);
  return validated;
}

const widened = new WeakMap<PolicyDocument, PolicyDocument>();

/** The document as if every condition were met and nothing were denied. */
export function widest(policy: PolicyDocument): PolicyDocument {
  const allowing = policy.Statement.filter(({ Effect }) => Effect === "Allow");
  const wide = widened.get(policy) ?? {
    ...policy,
    Statement: allowing.map(({ Condition: _, ...statement }) => statement),
  };
  widened.set(policy, wide);
  return wide;
}

const byText = new Map<string, number>();
const byIdentity = new WeakMap<object, number>();

/** A number for a document or a list of them, the same for the same: thousands of questions are about a few documents. */
export function numberOf(document: object = {}): number {
  const known = byIdentity.get(document);
  if (known !== undefined) return known;
  const text = JSON.stringify(document);
  const number = byText.get(text) ?? byText.size;
  byText.set(text, number);
  byIdentity.set(document, number);
  return number;
}
