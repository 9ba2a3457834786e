import { messageOf } from "./environment/teardown.ts";

/** Exit status of a command that was called wrongly, by old custom. */
export const USAGE_ERROR = 2;

/** A command was called with something that it does not take. */
export class UsageError extends Error {
  readonly code = "USAGE";
}

/** What a command is given to work with. */
export interface CommandContext {
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** Writes progress to stderr. */
  readonly log: (message: string) => void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** By shell convention a process that a signal ended exits with 128 + its number. */
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs a command line tool to its end and exits: with what `work` returns, 2 after a usage error, 1 after any other, and 128 + n
 * when a signal called it off. `work` cleans up by itself when its signal aborts; a second Ctrl-C leaves the rest to the reaper.
 */
export async function runCommand(work: (context: CommandContext) => Promise<number>): Promise<never> {
  const controller = new AbortController();
  const log = (message: string) => void process.stderr.write(`${message}\n`);
  let received: (typeof SIGNALS)[number] | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (received !== undefined) process.exit(128 + SIGNAL_NUMBERS[signal]);
      received = signal;
      log(`\n${signal}: stopping`);
      controller.abort(new Error(`called off by ${signal}`));
    });
  }
  // A reader that has gone, as after `| head`, is no reason to leave processes behind.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", () => controller.abort(new Error("nobody reads")));
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      log(`error: ${error instanceof Error ? error.stack : String(error)}`);
      process.exitCode = 1;
      controller.abort(error);
    });
  }
  const status = await work({ signal: controller.signal, log }).catch((error: unknown) => {
    if (received === undefined) log(`error: ${messageOf(error)}`);
    return error instanceof UsageError ? USAGE_ERROR : 1;
  });
  if (received !== undefined) process.exit(128 + SIGNAL_NUMBERS[received]);
  process.exit(process.exitCode ?? status);
}
