import { type CommandContext, runCommand, UsageError } from "../local/command.ts";

const HELP = `Usage: npm run bench -- [start | pool] [options]

Measures this machine, now. Tests assert none of it, since machines differ.

  start    (the default) evaluating the program, bringing the environment up, the service's start, a request, minting a token
  pool     the pool beside plain pg.Pool and others; npm run bench -- pool --help lists its options`;

type Benchmark = (args: readonly string[], context: CommandContext) => Promise<number>;

/** Each is loaded only when it is run: they bring different halves of the project with them. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  start: async () => (await import("./start.ts")).benchStart,
  pool: async () => (await import("./pool.ts")).benchPool,
};

await runCommand(async (context) => {
  const [name = "start", ...args] = process.argv.slice(2);
  if (name === "--help") {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  if (!Object.hasOwn(BENCHMARKS, name)) throw new UsageError(`${name} is not a benchmark\n\n${HELP}`);
  const benchmark = await BENCHMARKS[name]?.();
  return (await benchmark?.(args, context)) ?? 1;
});
