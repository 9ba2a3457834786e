import { createHash, randomBytes } from "node:crypto";
import { copyFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { projectName, readStackFile, type StackFile } from "../program/configuration.ts";

/** A value that stands for one which is encrypted in the stack file. */
export interface Canary {
  /** Full key, with the path inside it where only a part is encrypted, as `pulumi config set --path` takes it. */
  readonly key: string;
  readonly value: string;
}

/** Other canaries in each process, the same for a key: two revisions of a program have the same secrets. */
const BROOD = randomBytes(16);

/**
 * Copies what the engine reads of a project and a stack. The copy's secrets provider is a passphrase, whatever the stack's own is,
 * and it holds none of the stack's encrypted values.
 *
 * @param from folder, ending in a slash, of Pulumi.yaml and the stack file
 * @param overrides configuration over the stack file's, by full key or by a key of the project, as to `pulumi config set`
 * @returns a canary for each encrypted value, to be set once the stack exists
 * @throws StackConfigurationError when there is no such stack
 */
export async function copyStackFiles(
  from: URL,
  to: string,
  stack: string,
  overrides: Readonly<Record<string, string>> = {},
): Promise<readonly Canary[]> {
  const file = await readStackFile(from, stack);
  const project = `${await projectName(from)}:`;
  const canaries: Canary[] = [];
  const config = Object.fromEntries(
    Object.entries(file.config ?? {}).flatMap(([spelled, value]) => {
      const key = unqualified(spelled, project);
      const left = withoutEncrypted(value, key, canaries);
      return left === undefined ? [] : [[key, left]];
    }),
  );
  for (const [key, value] of Object.entries(overrides)) config[unqualified(key, project)] = typed(value);
  await copyFile(fileURLToPath(new URL("Pulumi.yaml", from)), `${to}/Pulumi.yaml`);
  // The engine looks whether the program of Pulumi.yaml is there, though it runs in this process.
  await writeFile(`${to}/index.ts`, "");
  await writeFile(`${to}/Pulumi.${stack}.yaml`, stringify({ config } satisfies StackFile));
  return canaries;
}

/** A key of the project's own may be spelled with its name and without. */
function unqualified(key: string, project: string): string {
  return key.startsWith(project) ? key.slice(project.length) : key;
}

/** Numbers, booleans and lists are those in a stack file, and text elsewhere. */
function typed(value: string): NonNullable<unknown> | null {
  try {
    const parsed: NonNullable<unknown> | null = JSON.parse(value);
    return typeof parsed === "string" ? value : parsed;
  } catch {
    return value;
  }
}

function withoutEncrypted(value: unknown, path: string, canaries: Canary[]): NonNullable<unknown> | null | undefined {
  if (typeof value !== "object" || value === null) return value;
  if ("secure" in value) {
    canaries.push({ key: path, value: canaryOf(path) });
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => withoutEncrypted(item, `${path}[${index}]`, canaries) ?? "");
  }
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    withoutEncrypted(inner, `${path}[${JSON.stringify(key)}]`, canaries),
  ]);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

function canaryOf(path: string): string {
  return `canary-${createHash("sha256").update(BROOD).update(path).digest("hex").slice(0, 16)}`;
}
