import { UnexpectedForm } from "../fields.ts";

/** A principal of a policy statement, such as Service `rds.amazonaws.com`; `*` is type AWS, value `*`. */
export interface Principal {
  readonly type: string;
  readonly value: string;
}

/** One condition: an operator on a key with the values that meet it. */
export interface Condition {
  /** As written, such as `StringEquals` or `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** A statement of an IAM policy document in one form, whatever form it was written in. */
export interface Statement {
  readonly sid: string;
  readonly effect: "Allow" | "Deny";
  readonly principals: readonly Principal[];
  /** Whether it is about everyone but `principals` (`NotPrincipal`). */
  readonly exceptPrincipals: boolean;
  readonly actions: readonly string[];
  /** Whether it is about every action but `actions` (`NotAction`). */
  readonly exceptActions: boolean;
  readonly resources: readonly string[];
  /** Whether it is about every resource but `resources` (`NotResource`). */
  readonly exceptResources: boolean;
  readonly conditions: readonly Condition[];
}

const KNOWN = new Set(
  ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"].sort(),
);

/**
 * Parses a policy document ("Grammar of the IAM JSON policy language").
 *
 * @param text the document as JSON
 * @param where what it is, for messages
 * @throws UnexpectedForm when it is none: a control that cannot read a policy must not pass it
 */
export function parseDocument(text: string, where: string): readonly Statement[] {
  const document = object(parseJson(text, where), where);
  const listed = Array.isArray(document.Statement) ? (document.Statement as readonly unknown[]) : [document.Statement];
  return listed.map((item, index) => parseStatement(item, `statement ${index} of ${where}`));
}

function parseStatement(item: unknown, where: string): Statement {
  const statement = object(item, where);
  const unknown = Object.keys(statement).filter((name) => !KNOWN.has(name));
  if (unknown.length > 0)
    throw new UnexpectedForm(`${where} has ${unknown.join(", ")}; allowed: ${[...KNOWN].join(", ")}`);
  const { Effect, Sid } = statement;
  if (Effect !== "Allow" && Effect !== "Deny") throw new UnexpectedForm(`${where} has no Effect Allow or Deny`);
  const actions = either(statement, "Action", where);
  if (actions.values.length === 0) throw new UnexpectedForm(`${where} has no Action`);
  const resources = either(statement, "Resource", where);
  return {
    sid: typeof Sid === "string" ? Sid : "",
    effect: Effect,
    principals: principals(statement.Principal ?? statement.NotPrincipal, where),
    exceptPrincipals: statement.NotPrincipal !== undefined,
    actions: actions.values,
    exceptActions: actions.except,
    resources: resources.values,
    exceptResources: resources.except,
    conditions: conditions(statement.Condition, where),
  };
}

function either(statement: Readonly<Record<string, unknown>>, name: "Action" | "Resource", where: string) {
  const [plain, negated] = [statement[name], statement[`Not${name}`]];
  if (plain !== undefined && negated !== undefined)
    throw new UnexpectedForm(`${where} has both ${name} and Not${name}`);
  return { values: texts(plain ?? negated, `${name} of ${where}`), except: negated !== undefined };
}

function principals(value: unknown, where: string): readonly Principal[] {
  if (value === undefined) return [];
  if (typeof value === "string") return [{ type: "AWS", value }];
  return Object.entries(object(value, `Principal of ${where}`)).flatMap(([type, values]) =>
    texts(values, `Principal ${type} of ${where}`).map((name) => ({ type, value: name })),
  );
}

function conditions(value: unknown, where: string): readonly Condition[] {
  if (value === undefined) return [];
  return Object.entries(object(value, `Condition of ${where}`)).flatMap(([operator, keys]) =>
    Object.entries(object(keys, `${operator} of ${where}`)).map(([key, values]) => ({
      operator,
      key,
      values: texts(values, `${key} of ${where}`),
    })),
  );
}

function texts(value: unknown, where: string): readonly string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return list.map((item) => {
    if (typeof item === "string") return item;
    if (typeof item === "boolean" || typeof item === "number") return String(item);
    throw new UnexpectedForm(`${where} holds what is no text`);
  });
}

function object(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UnexpectedForm(`${where} is no object`);
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnexpectedForm(`${where} is no JSON`, { cause });
  }
}
