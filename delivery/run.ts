import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a program to its end and returns what it wrote to stdout. */
export type Run = (program: string, args: readonly string[]) => Promise<string>;

/** Something that a delivery needs is missing, or a program that it called failed. The message says what to do. */
export class DeliveryError extends Error {
  readonly code = "DELIVERY";
}

/** Longest that a program that only asks may take, in milliseconds. */
const LIMIT_MS = 120_000;

/** How much of a failed program's stderr a message repeats, in characters from its end. */
const TOLD = 2_000;

/**
 * Runs a program of the PATH, without a shell.
 *
 * @throws DeliveryError when it cannot be started, fails, or takes longer than two minutes; with the end of its stderr
 */
export const run: Run = async (program, args) => {
  try {
    const options = { timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024, env: process.env };
    const { stdout } = await promisify(execFile)(program, args, options);
    return stdout;
  } catch (cause) {
    throw new DeliveryError(`${program} ${args.join(" ")} failed: ${toldBy(cause)}`, { cause });
  }
};

function toldBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stderr = "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim() : "";
  return stderr === "" ? error.message : stderr.slice(-TOLD);
}
