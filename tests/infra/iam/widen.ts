import { edit } from "../../../local/program/edit.ts";
import type { Program } from "../../../local/program.ts";
import type { PolicyDocument } from "../declared-program.ts";

export type Statement = PolicyDocument["Statement"][number];

/** One statement of the program written too wide, or otherwise than it is. */
export interface Widening {
  readonly says: string;
  /** The resource that holds the document, by type and logical name. */
  readonly of: readonly [type: "BucketPolicy" | "Key" | "Role" | "RolePolicy" | "TopicPolicy", name: string];
  /** Index of the statement in the document. */
  readonly statement: number;
  /** What stands there instead. */
  readonly becomes: (statement: Statement) => Statement | readonly Statement[];
  /** Actions that the sweeps then find where they are not listed. */
  readonly possible: readonly string[];
  /** What is altered in the near misses that are then allowed. */
  readonly allowed: readonly string[];
}

/** The program with the statement as widened. */
export function widen(program: Program, { of: [type, name], statement, becomes }: Widening): Program {
  return edit(program, { type, name }, (inputs) => {
    const input = type === "Role" ? "assumeRolePolicy" : "policy";
    const document = JSON.parse(String(inputs[input])) as PolicyDocument;
    const widened = document.Statement.flatMap((declared, index) =>
      index === statement ? becomes(declared) : [declared],
    );
    return { ...inputs, [input]: JSON.stringify({ ...document, Statement: widened }) };
  });
}

/** Another resource in place of the declared one. */
export const resource =
  (from: string | RegExp, to: string) =>
  (statement: Statement): Statement => ({ ...statement, Resource: String(statement.Resource).replace(from, to) });

/** Another resource beside the declared one. */
export const alsoResource =
  (from: string | RegExp, to: string) =>
  (statement: Statement): Statement => ({
    ...statement,
    Resource: [statement.Resource, String(statement.Resource).replace(from, to)],
  });

/** More actions. */
export const action =
  (...added: readonly string[]) =>
  (statement: Statement): Statement => ({ ...statement, Action: [statement.Action, added].flat() });

/** Other principals. */
export const principal =
  (Principal: unknown) =>
  (statement: Statement): Statement => ({ ...statement, Principal });

/** Another condition, or none. */
export const condition =
  (Condition: unknown) =>
  ({ Condition: _, ...statement }: Statement): Statement =>
    Condition === undefined ? statement : { ...statement, Condition };

/** Another statement that allows. */
export const alongside =
  (added: Statement) =>
  (statement: Statement): readonly Statement[] => [statement, { Effect: "Allow", ...added }];
