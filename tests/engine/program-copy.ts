import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** All that the program is made of: what it declares, what it builds, and what decides how. */
const PARTS = [
  "app",
  "infra",
  "index.ts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "Pulumi.yaml",
  "Pulumi.production.yaml",
  "Pulumi.staging.yaml",
];

/** The program in a folder of its own, so that a test can change a word of it. */
export interface ProgramCopy extends AsyncDisposable {
  /** Folder, ending in a slash. */
  readonly folder: URL;
  /** Replaces the one occurrence of a text in a file; fails where there is another count. */
  change(file: string, from: string, to: string): Promise<void>;
}

/** Copies the program as it stands in the working tree. */
export async function copyProgram(): Promise<ProgramCopy> {
  const copy = await mkdtemp(path.join(tmpdir(), "passwordless-postgres-program-"));
  await Promise.all(PARTS.map((part) => cp(path.join(ROOT, part), path.join(copy, part), { recursive: true })));
  await symlink(path.join(ROOT, "node_modules"), path.join(copy, "node_modules"));
  return {
    folder: pathToFileURL(`${copy}/`),
    async change(file, from, to) {
      const text = await readFile(path.join(copy, file), "utf8");
      assert.equal(text.split(from).length - 1, 1, `${file} holds ${JSON.stringify(from)} once`);
      await writeFile(path.join(copy, file), text.replace(from, to));
    },
    [Symbol.asyncDispose]: () => rm(copy, { recursive: true, force: true }),
  };
}
