import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { PROGRAM_FOLDER } from "../../local/program/configuration.ts";
import type { DeclaredResource } from "../../local/program/resource.ts";
import { evaluate, type Program } from "../../local/program.ts";

/** Name of the project, which a copy of it may have changed. */
export const PROJECT = String(parse(readFileSync(new URL("Pulumi.yaml", PROGRAM_FOLDER), "utf8")).name);

const evaluated = new Map<string, Promise<Program>>();

/** The program of a stack, evaluated once for all tests of the process: what it declares is only read. */
export function programOf(stack: string, config: Readonly<Record<string, string>> = {}): Promise<Program> {
  const key = JSON.stringify([stack, config]);
  const program = evaluated.get(key) ?? evaluate(stack, { config });
  evaluated.set(key, program);
  return program;
}

/** The stacks that have a file of their own. */
export const STACKS = ["production", "staging"] as const;

/**
 * Resources of AWS of a type that the program declares, by the last part of its token, such as `RolePolicy`. The program's own
 * components, of which some are named alike, do not count, nor does what awsx makes: see {@link madeByAwsx}.
 */
export function ofType(program: Program, type: string): readonly DeclaredResource[] {
  return program.resources.filter(
    (resource) => resource.madeBy === undefined && /^awsx?:/.test(resource.type) && resource.type.endsWith(`:${type}`),
  );
}

/** What the provider awsx makes for the components of it that the program declares, of a type or of all. */
export function madeByAwsx(program: Program, type?: string): readonly DeclaredResource[] {
  return program.resources.filter(
    (resource) => resource.madeBy !== undefined && (type === undefined || resource.type.endsWith(`:${type}`)),
  );
}

/** The one resource of a type, or of a type and a name; fails when there is another count. */
export function only(program: Program, type: string, name?: string): DeclaredResource {
  const found = ofType(program, type).filter((resource) => name === undefined || resource.name === name);
  const [resource] = found;
  const names = ofType(program, type).map((candidate) => candidate.name);
  assert.ok(resource && found.length === 1, `${found.length} ${type} ${name ?? ""}; declared: ${names.join(", ")}`);
  return resource;
}

/** A policy document among the inputs of a resource, parsed. */
export function documentOf(resource: DeclaredResource, input: "policy" | "assumeRolePolicy"): PolicyDocument {
  return JSON.parse(String(resource.inputs[input])) as PolicyDocument;
}

export interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

/** A container definition of the task, as AWS would be sent it. */
export interface ContainerDefinition extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}

/** The container definitions of the task, the migration first. */
export function containersOf(program: Program): readonly ContainerDefinition[] {
  return JSON.parse(String(only(program, "TaskDefinition").inputs.containerDefinitions)) as ContainerDefinition[];
}

/** One container of the task by its name. */
export function containerOf(program: Program, name: string): ContainerDefinition {
  const container = containersOf(program).find((candidate) => candidate.name === name);
  assert.ok(container, `the task has no container ${name}`);
  return container;
}

/** The environment of a container as the process will see it. */
export function environmentOf(container: ContainerDefinition): Readonly<Record<string, string>> {
  return Object.fromEntries(container.environment.map(({ name, value }) => [name, value]));
}
