import type { Condition, Statement } from "./document.ts";

/** Whether a pattern of IAM (`*` any text, `?` any character) covers a text. Actions are compared without regard to case. */
export function covers(pattern: string, text: string, { ignoreCase = false } = {}): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, ignoreCase ? "is" : "s").test(text);
}

/** Whether a statement lets someone do an action, its resources and conditions apart. */
export function allowsAction({ effect, actions, exceptActions }: Statement, action: string): boolean {
  if (effect !== "Allow") return false;
  return actions.some((pattern) => covers(pattern, action, { ignoreCase: true })) !== exceptActions;
}

/** Whether a statement allows anything of a service, such as `kms`. */
export function allowsService({ effect, actions, exceptActions }: Statement, service: string): boolean {
  if (effect !== "Allow") return false;
  if (exceptActions) return true;
  return actions.some((pattern) => covers(pattern.split(":")[0] ?? "", service, { ignoreCase: true }));
}

/** Whether a pattern has a wildcard. */
export function hasWildcard(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** Operators that hold a key to its values. `…IfExists` lets an absent key pass, and the negated ones name what is not allowed. */
const HOLDING = /^(?:ForAnyValue:)?(?:String(?:Equals|EqualsIgnoreCase|Like)|Arn(?:Equals|Like))$/;

/** The conditions that hold a key, spelled in any case, to values. */
export function conditionsOn({ conditions }: Statement, key: RegExp): readonly Condition[] {
  return conditions.filter((condition) => HOLDING.test(condition.operator) && key.test(condition.key));
}

/** Whether a statement holds a key to values of which none is open (`*` alone). */
export function isHeldBy(statement: Statement, key: RegExp): boolean {
  return conditionsOn(statement, key).some(
    ({ values }) => values.length > 0 && !values.some((value) => /^[*?]*$/.test(value)),
  );
}
