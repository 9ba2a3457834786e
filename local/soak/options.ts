import { parseArgs } from "node:util";
import { UsageError } from "../command.ts";
import { AFTERMATH_MS, DEMO_CONFIG } from "../demo/options.ts";

/**
 * Configuration over the stack's, as in the demonstration, with the shortest life that a connection can be declared to have: every one dies of
 * age between two windows, and each window needs new ones. A pool that a busy machine's backlog filled with young ones would need none.
 */
export const SOAK_CONFIG: Readonly<Record<string, string>> = {
  ...DEMO_CONFIG,
  connectionLifetimeSeconds: "1",
  poolSize: "40",
};

/** Load before each window, in milliseconds: with the aftermath of the rotation before, longer than a connection lives. */
const LEAD_MS = 300;

/** The same when something else goes wrong between two windows, and must be over before the next. */
const LEAD_WITH_FAULTS_MS = 1_500;

/** What the soak is asked to do. */
export interface SoakOptions {
  readonly stack: string;
  readonly rotations: number;
  /** Requests a second, beside the bursts in each window. */
  readonly rate: number;
  /** Gap between the database's new password and `AWSCURRENT`, in milliseconds. */
  readonly windowMs: number;
  /** Whether faults come between the rotations. */
  readonly faults: boolean;
}

export const SOAK_HELP = `Usage: npm run soak -- [options]

Rotates the database's credential again and again under load, on this machine, and tells whether a request failed, a write was lost or
doubled, or the service's process grew: in memory, sockets, listeners or timers. Exit status 0 only when nothing of it happened and so
many windows were really felt. A hundred rotations take some four minutes.

Options:
  --rotations N   rotations, 4 to 500 (default: 100); one in whose window no connection was attempted proves nothing and is made up
                  for, up to a fifth of them
  --window MS     gap in which new log-ins fail during a rotation, 100 to 5000 (default: 600)
  --rate N        requests a second beside the bursts of 40, four in each rotation; 1 to 1000 (default: 50)
  --faults        between rotations, let other things go wrong too: the proxy drops every connection or is restarted, so is the database,
                  the grant is revoked, ... A statement that was under way then may end as OUTCOME_UNKNOWN (503); no other failure is
                  forgiven, and no write may be lost or doubled all the same
  --stack NAME    stack to evaluate (default: production)
  --help          this text`;

/** The whole numbers among the options: their range, and what is taken when they are not given. */
const NUMBERS = {
  rotations: { from: 4, to: 500, default: 100 },
  rate: { from: 1, to: 1_000, default: 50 },
  window: { from: 100, to: 5_000, default: 600 },
} as const;

/** Legs of a run, after each of which the service rests and is looked at: five in each quarter, which have a median. */
const LEGS = 20;

/**
 * How many rotations come in each leg, one after the other. A short run has two legs, the first of which ends in its second quarter: that is
 * enough to compare, though not to show how it went.
 */
export function legsOf({ rotations }: Pick<SoakOptions, "rotations">): readonly number[] {
  if (rotations < LEGS) return [Math.floor(rotations / 2), Math.ceil(rotations / 2)];
  const endOf = (leg: number) => Math.round((leg * rotations) / LEGS);
  return Array.from({ length: LEGS }, (_, leg) => endOf(leg + 1) - endOf(leg));
}

/** Rotations that may be added for those whose window nobody met, as happens where the machine is busy. */
export function spareRotations({ rotations }: Pick<SoakOptions, "rotations">): number {
  return Math.max(5, Math.ceil(rotations / 5));
}

/** How long the load of so many rotations runs, in seconds. */
export function loadSeconds({ rotations, windowMs, faults }: SoakOptions): number {
  const leadMs = faults ? LEAD_WITH_FAULTS_MS : LEAD_MS;
  return (rotations * (leadMs + windowMs + AFTERMATH_MS)) / 1_000;
}

/**
 * Reads the command line.
 *
 * @returns "help" when that was asked for
 * @throws UsageError with every mistake, each with what is allowed
 */
export function parseSoakOptions(args: string[]): SoakOptions | "help" {
  const values = readArguments(args);
  if (values.help) return "help";
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
  const options: SoakOptions = {
    stack: values.stack,
    rotations: number("rotations"),
    rate: number("rate"),
    windowMs: number("window"),
    faults: values.faults,
  };
  if (mistakes.length > 0) throw new UsageError(mistakes.join("\n"));
  return options;
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        rotations: { type: "string" },
        rate: { type: "string" },
        window: { type: "string" },
        faults: { type: "boolean", default: false },
        stack: { type: "string", default: "production" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n\n${SOAK_HELP}`, { cause });
  }
}
