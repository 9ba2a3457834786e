import type { Properties } from "../outputs.ts";
import type { Program } from "../program.ts";
import type { DeclaredResource } from "./resource.ts";

/** Names one declared resource. */
export interface ResourceName {
  /** The last part of the type token, such as `RolePolicy`, or the whole token. */
  readonly type: string;
  /** Logical name. */
  readonly name: string;
}

/** No resource, or more than one, has the name that an edit or a reader asked for. */
export class ResourceNotFound extends Error {
  readonly code = "RESOURCE_NOT_FOUND";
}

/**
 * The program as if one resource had been declared otherwise: what a slip of the pen in `infra/` would have declared, without a
 * switch in the program for it. The program itself is unchanged.
 *
 * @param change gets the inputs and returns others; `undefined` leaves the resource out
 */
export function edit(
  program: Program,
  which: ResourceName,
  change: (inputs: Properties) => Properties | undefined,
): Program {
  const found = program.resources.filter((resource) => isNamed(resource, which));
  if (found.length !== 1) throw notFound(program, which, found.length);
  const resources = program.resources.flatMap((resource) => {
    if (!found.includes(resource)) return [resource];
    const inputs = change(resource.inputs);
    return inputs === undefined ? [] : [{ ...resource, inputs, outputs: { ...resource.outputs, ...inputs } }];
  });
  return { ...program, resources };
}

/** The program without one resource, as if it had been forgotten. */
export function without(program: Program, which: ResourceName): Program {
  return edit(program, which, () => undefined);
}

/** The program without one statement of a role's policy, by its `Sid`. */
export function withoutStatement(program: Program, rolePolicy: string, sid: string): Program {
  return edit(program, { type: "RolePolicy", name: rolePolicy }, (inputs) => {
    const document = JSON.parse(String(inputs.policy)) as { readonly Statement: readonly { readonly Sid?: string }[] };
    const left = document.Statement.filter((statement) => statement.Sid !== sid);
    if (left.length === document.Statement.length) throw new ResourceNotFound(`${rolePolicy} has no statement ${sid}`);
    return { ...inputs, policy: JSON.stringify({ ...document, Statement: left }) };
  });
}

function isNamed(resource: DeclaredResource, { type, name }: ResourceName): boolean {
  // What awsx makes is mostly named and typed like the component that it makes it for: only the whole token means it.
  const own = resource.madeBy === undefined;
  return resource.name === name && (resource.type === type || (own && resource.type.endsWith(`:${type}`)));
}

function notFound(program: Program, { type, name }: ResourceName, count: number): ResourceNotFound {
  const names = program.resources
    .filter((resource) => resource.type.endsWith(`:${type}`))
    .map((resource) => resource.name);
  return new ResourceNotFound(
    `${count} resources of type ${type} are named ${name}; declared: ${names.join(", ") || "none"}`,
  );
}
