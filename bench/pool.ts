import { parseArgs } from "node:util";
import { type CommandContext, UsageError } from "../local/command.ts";
import type { Choice } from "./pool/plan.ts";

/** Below it hardly anything is answered, above it one round takes many minutes. */
const SECONDS = { least: 0.01, most: 60 } as const;
const ROUNDS = { least: 1, most: 100 } as const;

const HELP = `Usage: npm run bench -- pool [options]

Measures RdsIamPool beside plain pg.Pool with a password function, the pool of Aurora DSQL's connector, and postgres.js: through the local
RDS Proxy over a real PostgreSQL, with real TLS and real tokens. The server and each contender are processes of their own, warmed up; each measure
goes through all contenders before the next, in an order that rotates. Prints medians with their range, ratios to pg.Pool, and which aims
were met. It takes less than five minutes.

Options:
  --rounds N      so many rounds, ${ROUNDS.least} to ${ROUNDS.most} (default: 5, or fewer on a slow machine; 2 with --quick)
  --seconds S     length of each measured load, ${SECONDS.least} to ${SECONDS.most} (default: 0.45; 0.1 with --quick)
  --quick         a look in less than 40 seconds, too short to judge by
  --assert        exit with 1 when an aim was missed; otherwise the exit status is 0, since machines are noisy
  --json          one line of JSON on stdout instead of tables
  --help          this text`;

/** The benchmark of the pool, as a command: returns its exit status. */
export async function benchPool(args: readonly string[], context: CommandContext): Promise<number> {
  const options = parse(args);
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  // Loaded only now, so that help and refusals come at once.
  const [{ planOf }, { measurePools }, { judge }, { renderAims, renderTables }] = await Promise.all([
    import("./pool/plan.ts"),
    import("./pool/run.ts"),
    import("./pool/aims.ts"),
    import("./pool/tables.ts"),
  ]);
  const plan = planOf(options);
  const results = await measurePools(plan, context);
  const aims = judge(results);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ plan, ...results, aims })}\n`
      : `${renderTables(results, plan)}\n\n${renderAims(aims)}\n`,
  );
  return options.assert && aims.some(({ passed }) => !passed) ? 1 : 0;
}

interface Options extends Choice {
  readonly assert: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

function parse(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string" },
        seconds: { type: "string" },
        quick: { type: "boolean", default: false },
        assert: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const rounds = numberOf("--rounds", values.rounds, ROUNDS);
    if (rounds !== undefined && !Number.isInteger(rounds))
      throw new Error(`--rounds ${values.rounds}: a whole number is needed`);
    return { ...values, rounds, seconds: numberOf("--seconds", values.seconds, SECONDS) };
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n\n${HELP}`, { cause });
  }
}

function numberOf(
  option: string,
  text: string | undefined,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new Error(`${option} ${text}: a number from ${least} to ${most} is needed`);
}
