import { edit, without } from "../../../local/program/edit.ts";
import type { DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";
import { type Statement, widen } from "../../infra/iam/widen.ts";

/** One slip of the pen in what the program declares, and the control that notices it. */
export interface Mutation {
  /** Id of the control. */
  readonly control: string;
  /** What is declared otherwise, in a few words. */
  readonly says: string;
  readonly mutate: (program: Program) => Program;
  /** Other controls that the same slip breaks; `exceptions` stands for the register. */
  readonly also?: readonly string[];
}

type Properties = Readonly<Record<string, unknown>>;

/** Inputs of a resource set to other values; `undefined` leaves one out. */
export const set =
  (type: string, name: string, changes: Properties | ((inputs: Properties) => Properties)) =>
  (program: Program): Program =>
    edit(program, { type, name }, (inputs) => ({
      ...inputs,
      ...(typeof changes === "function" ? changes(inputs) : changes),
    }));

/** A resource left out. */
export const drop =
  (type: string, name: string) =>
  (program: Program): Program =>
    without(program, { type, name });

/** Another resource beside one of the program's, with its inputs and outputs but for some, under another name. */
export const copy =
  (type: string, name: string, as: string, changes: Partial<DeclaredResource> = {}) =>
  (program: Program): Program => {
    const original = program.resources.find(
      (resource) => resource.name === name && (resource.type === type || resource.type.endsWith(`:${type}`)),
    );
    if (original === undefined) throw new Error(`no ${type} ${name} to copy`);
    const added = { ...original, name: as, urn: `${original.urn}-${as}`, ...changes };
    return { ...program, resources: [...program.resources, added] };
  };

/** A statement of a policy document written otherwise. */
export const restate =
  (
    of: readonly [type: "Key" | "Role" | "RolePolicy" | "TopicPolicy", name: string],
    statement: number,
    becomes: (statement: Statement) => Statement | readonly Statement[],
  ) =>
  (program: Program): Program =>
    widen(program, { says: "", of, statement, becomes, possible: [], allowed: [] });

/** The service's containers defined otherwise. */
export const containers = (change: (container: Properties) => Properties) =>
  set("TaskDefinition", "service", ({ containerDefinitions }) => {
    const definitions = JSON.parse(String(containerDefinitions)) as readonly Properties[];
    return { containerDefinitions: JSON.stringify(definitions.map((one) => ({ ...one, ...change(one) }))) };
  });

/** A property of one of the resources, such as an ARN that another is to name. */
export function output(program: Program, type: string, name: string, property: string): unknown {
  const found = program.resources.find(
    (resource) => resource.name === name && (resource.type === type || resource.type.endsWith(`:${type}`)),
  );
  if (found === undefined) throw new Error(`no ${type} ${name}`);
  return property === "id" ? found.id : found.outputs[property];
}
