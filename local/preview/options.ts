import { parseArgs } from "node:util";
import { UsageError } from "../command.ts";

/** What the preview is asked for. */
export interface PreviewOptions {
  readonly stack: string;
  /** Revision of git whose state the preview starts from. Undefined means an empty state. */
  readonly against: string | undefined;
  readonly config: Readonly<Record<string, string>>;
  readonly output: "text" | "diff" | "json" | "markdown";
  /** Path of the Pulumi CLI. Undefined means the one on PATH. */
  readonly pulumi: string | undefined;
  readonly help: boolean;
}

export const PREVIEW_HELP = `Usage: npm run preview -- [options]

What "pulumi up" would do, by the real Pulumi engine, without an AWS account: AWS's providers are stand-ins, the state is empty or that of
another revision of the program, and a stack's encrypted values are canaries.

Options:
  --stack NAME          stack to preview (default: production)
  --against REF         start from what the program declared at this branch, tag or commit (default: from nothing)
  --config KEY=VALUE    configuration over the stack file's, as to "pulumi config set"; may be repeated
  --diff                every property of every change, as "pulumi preview --diff" shows it
  --markdown            a summary for a pull request: replacements first, then policies and security groups
  --json                one line of JSON on stdout; all else goes to stderr
  --pulumi FILE         the Pulumi CLI (default: the one on PATH)
  --help                this text

Exit status 0 when the deployment could begin, 1 when the program, the engine or a policy refuses it.`;

/**
 * Reads the command line.
 *
 * @throws UsageError with every mistake, each with what is allowed
 */
export function parsePreviewOptions(args: string[]): PreviewOptions {
  const values = readArguments(args);
  const mistakes: string[] = [];
  const config: Record<string, string> = {};
  for (const pair of values.config) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) mistakes.push(`--config ${pair}; allowed: KEY=VALUE`);
    else config[key] = value;
  }
  const outputs = (["diff", "json", "markdown"] as const).filter((name) => values[name]);
  if (outputs.length > 1) mistakes.push(`--${outputs.join(" --")}; allowed: one of them`);
  for (const name of ["stack", "against", "pulumi"] as const) {
    if (values[name] === "") mistakes.push(`--${name} is empty`);
  }
  if (mistakes.length > 0) throw new UsageError(`${mistakes.join("\n")}\n\n${PREVIEW_HELP}`);
  const { stack, against, pulumi, help } = values;
  return { stack, against, pulumi, help, config, output: outputs[0] ?? "text" };
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        stack: { type: "string", default: "production" },
        against: { type: "string" },
        config: { type: "string", multiple: true, default: [] },
        diff: { type: "boolean", default: false },
        markdown: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        pulumi: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)}\n\n${PREVIEW_HELP}`, { cause });
  }
}
