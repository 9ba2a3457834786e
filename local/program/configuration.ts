import { readdir, readFile } from "node:fs/promises";
import { parse } from "yaml";

/** Folder of the project's own program: Pulumi.yaml, the stack files, index.ts. */
export const PROGRAM_FOLDER = new URL("../../", import.meta.url);

/** A stack's whole configuration, as the engine would hand it to the program. */
export interface StackConfiguration {
  readonly project: string;
  /** By full key (`namespace:key`); lists as JSON, as the engine sends them. */
  readonly values: Readonly<Record<string, string>>;
}

/** The stack or a key does not exist, or a file does not parse. */
export class StackConfigurationError extends Error {
  readonly code = "STACK_CONFIGURATION";
}

/** The part of a stack's file that is read here: its secrets provider is the engine's business. */
export interface StackFile {
  readonly config?: Readonly<Record<string, unknown>>;
}

interface ProjectFile {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Reads what `pulumi up` would: the defaults of Pulumi.yaml, over them the stack file, over it `overrides`, which are given as to
 * `pulumi config set` (a key without namespace is the project's; a list is JSON).
 *
 * @param folder that holds Pulumi.yaml and the stack files; ends in a slash
 * @throws StackConfigurationError when there is no such stack file, or an override names a key that Pulumi.yaml does not declare
 */
export async function readStackConfiguration(
  stack: string,
  overrides: Readonly<Record<string, string>> = {},
  folder: URL = PROGRAM_FOLDER,
): Promise<StackConfiguration> {
  const project: ProjectFile = await readYaml(folder, "Pulumi.yaml");
  const stackFile = await readStackFile(folder, stack);
  const values: Record<string, string> = {};
  const qualify = (key: string) => (key.includes(":") ? key : `${project.name}:${key}`);
  for (const [key, declared] of Object.entries(project.config ?? {})) {
    const value = isDeclaration(declared) ? (declared.default ?? declared.value) : declared;
    if (value !== undefined) values[qualify(key)] = asText(value);
  }
  for (const [key, value] of Object.entries(stackFile.config ?? {})) values[qualify(key)] = asText(value);
  const known = new Set(Object.keys(project.config ?? {}).map(qualify));
  for (const [key, value] of Object.entries(overrides)) {
    const full = qualify(key);
    if (full.startsWith(`${project.name}:`) && !known.has(full)) {
      const names = [...known].filter((name) => name.startsWith(`${project.name}:`)).map((name) => name.split(":")[1]);
      throw new StackConfigurationError(`Pulumi.yaml declares no key ${key}; allowed: ${names.sort().join(", ")}`);
    }
    values[full] = value;
  }
  return { project: project.name, values };
}

/** Name of the project of a folder's Pulumi.yaml. */
export async function projectName(folder: URL = PROGRAM_FOLDER): Promise<string> {
  return (await readYaml<ProjectFile>(folder, "Pulumi.yaml")).name;
}

/**
 * Reads a stack's own file.
 *
 * @throws StackConfigurationError when there is none
 */
export async function readStackFile(folder: URL, stack: string): Promise<StackFile> {
  if (!/^[A-Za-z0-9._-]+$/.test(stack)) {
    throw new StackConfigurationError(
      `stack name ${JSON.stringify(stack)}; allowed: letters, digits, hyphens, underscores, periods`,
    );
  }
  try {
    return (await readYaml(folder, `Pulumi.${stack}.yaml`)) ?? {};
  } catch (cause) {
    if (!isMissingFile(cause)) throw cause;
    const stacks = (await stackNames(folder)).join(", ");
    throw new StackConfigurationError(
      `there is no stack ${stack}: no file Pulumi.${stack}.yaml beside Pulumi.yaml; there are ${stacks}`,
      { cause },
    );
  }
}

/** Stacks that have a file. */
async function stackNames(folder: URL): Promise<readonly string[]> {
  const files = await readdir(folder);
  return files.flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []).sort();
}

async function readYaml<T>(folder: URL, name: string): Promise<T> {
  return parse(await readFile(new URL(name, folder), "utf8"));
}

function isDeclaration(value: unknown): value is { readonly default?: unknown; readonly value?: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
