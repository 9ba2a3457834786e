import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** The Pulumi CLI is not where it is looked for, or does not run. */
export class PulumiNotFound extends Error {
  readonly code = "PULUMI_NOT_FOUND";
}

/** Longest time in milliseconds that the CLI may take to say its version. */
const VERSION_WITHIN_MS = 20_000;

const HOW_TO_GET_IT =
  'put it on PATH (https://www.pulumi.com/docs/install/), or compile the pinned one: PATH="$(.ci/provide-pulumi):$PATH"';

/**
 * Finds the Pulumi CLI.
 *
 * @param given path of the program; by default it is looked for on PATH
 * @returns its path
 * @throws PulumiNotFound with what to do
 */
export async function findPulumi(given?: string): Promise<string> {
  const found = given === undefined ? await onPath("pulumi") : path.resolve(given);
  if (found === undefined) throw new PulumiNotFound(`there is no pulumi on PATH: ${HOW_TO_GET_IT}`);
  try {
    await promisify(execFile)(found, ["version"], {
      timeout: VERSION_WITHIN_MS,
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
  } catch (cause) {
    throw new PulumiNotFound(`${found} is no Pulumi CLI that runs here: ${HOW_TO_GET_IT}`, { cause });
  }
  return found;
}

/** Whether a Pulumi CLI is on PATH; for tests that are skipped without one. */
export async function hasPulumi(): Promise<boolean> {
  return (await onPath("pulumi")) !== undefined;
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter).filter((entry) => entry !== "")) {
    const file = path.join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {}
  }
  return undefined;
}
