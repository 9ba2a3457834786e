import type { Stack } from "./stack.ts";

/** Whether a key, by ARN or id, is one that the stack declares: then its policy and its rotation are looked at too. */
export function isOwnKey(stack: Stack, key: string | undefined): boolean {
  if (key === undefined) return false;
  return stack
    .ofType("aws:kms/key:Key")
    .some(({ fields }) => fields.text("arn") === key || fields.text("keyId") === key);
}
