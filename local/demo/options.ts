import { parseArgs } from "node:util";
import { UsageError } from "../command.ts";

/** Of the declared connection lifetime: connections end by themselves all the time, so that each window needs new ones. 1,500 s on AWS. */
const DEMO_LIFETIME_SECONDS = 3;

/**
 * Configuration over the stack's. One task, as it is one that runs here, with a pool that the load alone never fills: a full pool of
 * young connections would need no new one in a window, and the rotation would go unnoticed.
 */
export const DEMO_CONFIG: Readonly<Record<string, string>> = {
  connectionLifetimeSeconds: String(DEMO_LIFETIME_SECONDS),
  minTasks: "1",
  maxTasks: "1",
  poolSize: "20",
};

/** Load before each rotation: long enough for every connection to be younger than its lifetime, and not all of one age. */
const WARM_UP_MS = DEMO_LIFETIME_SECONDS * 1_000;

/** Load after each rotation, in which the service must have recovered. */
export const AFTERMATH_MS = 1_000;

/** What the demonstration is asked to do. */
export interface DemoOptions {
  readonly stack: string;
  readonly rotations: number;
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
  /** Gap between the database's new password and `AWSCURRENT`, in milliseconds. */
  readonly windowMs: number;
  readonly staticPassword: boolean;
  readonly help: boolean;
}

export const DEMO_HELP = `Usage: npm run demo -- [options]

Runs what the Pulumi program declares on this machine, puts load on the service, rotates the database's credential under it, and tells
how many requests failed. Exit status 0 only when none did, no acknowledged write is missing, and the rotations were really felt.

Options:
  --rotations N        rotations, 1 to 20 (default: 3)
  --seconds N          length of the load, 5 to 600, and at least 4 and the window for each rotation (default: 24)
  --rate N             requests a second, 1 to 1000 (default: 200)
  --window MS          gap in which new log-ins fail during a rotation, 100 to 20000 (default: 2000)
  --stack NAME         stack to evaluate (default: production)
  --static-password    the same application, load and rotations on the path that this project replaces: straight to the database with
                       the password that it was given at start. Shows the outage; exit status 0 when there was one.
  --help               this text`;

/** The whole numbers among the options: their range, and what is taken when they are not given. */
const NUMBERS = {
  rotations: { from: 1, to: 20, default: 3 },
  seconds: { from: 5, to: 600, default: 24 },
  rate: { from: 1, to: 1_000, default: 200 },
  window: { from: 100, to: 20_000, default: 2_000 },
} as const;

/**
 * Reads the command line.
 *
 * @throws UsageError with every mistake, each with what is allowed
 */
export function parseDemoOptions(args: string[]): DemoOptions {
  const values = readArguments(args);
  const mistakes: string[] = [];
  const number = (name: keyof typeof NUMBERS): number => {
    const { from, to, default: otherwise } = NUMBERS[name];
    const text = values[name];
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < from || value > to) {
      mistakes.push(`--${name} ${text}; allowed: a whole number from ${from} to ${to}`);
    }
    return value;
  };
  const options: DemoOptions = {
    stack: values.stack,
    rotations: number("rotations"),
    seconds: number("seconds"),
    rate: number("rate"),
    windowMs: number("window"),
    staticPassword: values["static-password"],
    help: values.help,
  };
  const { rotations, seconds, windowMs } = options;
  const least = Math.ceil((rotations * (WARM_UP_MS + windowMs + AFTERMATH_MS)) / 1_000);
  if (mistakes.length === 0 && seconds < least) {
    mistakes.push(
      `--seconds ${seconds}; allowed: ${least} or more with --rotations ${rotations} and --window ${windowMs}`,
    );
  }
  if (mistakes.length > 0) throw new UsageError(mistakes.join("\n"));
  return options;
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        rotations: { type: "string" },
        seconds: { type: "string" },
        rate: { type: "string" },
        window: { type: "string" },
        stack: { type: "string", default: "production" },
        "static-password": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n\n${DEMO_HELP}`, { cause });
  }
}
