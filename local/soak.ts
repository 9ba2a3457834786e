import { runCommand } from "./command.ts";
import { parseSoakOptions, SOAK_CONFIG, SOAK_HELP } from "./soak/options.ts";

await runCommand(async ({ signal, log }) => {
  const options = parseSoakOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(`${SOAK_HELP}\n`);
    return 0;
  }
  const startedAt = performance.now();
  const elapsed = () => `[${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)} s]`;
  const timed = (message: string) => log(`${elapsed()} ${message}`);
  timed(`evaluating the Pulumi program for stack ${options.stack}`);
  // Loaded only now, so that help and refusals come at once.
  const { evaluate } = await import("./program.ts");
  const program = await evaluate(options.stack, { config: SOAK_CONFIG });
  const { soak } = await import("./soak/run.ts");
  const report = await soak(program, options, { signal, log: timed });
  const { soakText } = await import("./soak/text.ts");
  process.stdout.write(`\n${soakText(report, { colours: process.stdout.isTTY === true })}\n`);
  return report.verdict === "passed" ? 0 : 1;
});
