import { type CommandContext, runCommand } from "./command.ts";
import { OfflineEngine, type OfflineStack } from "./engine/engine.ts";
import { preview as previewed, up } from "./engine/outcome.ts";
import { planMarkdown } from "./preview/markdown.ts";
import { PREVIEW_HELP, type PreviewOptions, parsePreviewOptions } from "./preview/options.ts";
import { type Plan, planOf } from "./preview/plan.ts";
import { layOutRevision } from "./preview/revision.ts";
import { readStackConfiguration } from "./program/configuration.ts";
import { startReaper } from "./reaper.ts";

await runCommand(async (context) => {
  const options = parsePreviewOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${PREVIEW_HELP}\n`);
    return 0;
  }
  // Refuses a stack or a key that does not exist before anything is made.
  await readStackConfiguration(options.stack, options.config);
  const engine = await OfflineEngine.start({ pulumi: options.pulumi });
  const reaper = startReaper(context);
  reaper.watchDirectory(engine.folder);
  try {
    return await preview(engine, options, context);
  } finally {
    await engine.stop();
    await reaper.close();
  }
});

async function preview(engine: OfflineEngine, options: PreviewOptions, context: CommandContext): Promise<number> {
  const { signal, log } = context;
  const { stack, config, against, output } = options;
  if (against !== undefined) await deployRevision(engine, against, options, context);
  signal.throwIfAborted();
  log(`previewing stack ${stack}`);
  const opened = await engine.stack(stack, { config });
  tellCanaries(opened, log);
  const result = await previewed(opened.stack, { signal, diff: output === "diff" });
  signal.throwIfAborted();
  const plan = planOf(result.events);
  process.stdout.write(rendered(plan, result.text, options));
  if (result.failed === undefined) return 0;
  const errors = plan.diagnostics.filter(({ severity }) => severity === "error");
  log(errors.length === 0 ? result.failed : errors.map(({ message }) => message).join("\n"));
  return 1;
}

/** Deploys another revision on the stand-ins, so that the preview starts from its state. */
async function deployRevision(
  engine: OfflineEngine,
  against: string,
  { stack, config }: PreviewOptions,
  { signal, log }: CommandContext,
): Promise<void> {
  const { commit, folder } = await layOutRevision(against, `${engine.folder}/revision`, signal);
  log(`deploying stack ${stack} of ${against} (${commit.slice(0, 12)}) on the stand-ins`);
  const before = await engine.stack(stack, { folder, config });
  const result = await up(before.stack, { signal });
  signal.throwIfAborted();
  if (result.failed === undefined) return;
  const errors = planOf(result.events).diagnostics.map(({ message }) => message);
  throw new Error(`stack ${stack} of ${against} cannot be deployed here:\n${errors.join("\n") || result.failed}`);
}

function rendered(plan: Plan, text: string, { output, stack, against }: PreviewOptions): string {
  if (output === "markdown") return planMarkdown(plan, { stack, against });
  if (output === "json") return `${JSON.stringify({ stack, against: against ?? null, ...plan })}\n`;
  return text;
}

function tellCanaries({ canaries }: OfflineStack, log: CommandContext["log"]): void {
  for (const { key } of canaries) log(`${key} is encrypted in the stack file: a canary stands for it`);
}
