import { parseArgs } from "node:util";
import { UsageError } from "../local/command.ts";
import { messageOf } from "../local/environment/teardown.ts";

/** A stack's name as Pulumi allows it; it goes into the names of files. */
const STACK = /^[A-Za-z0-9._-]{1,100}$/;

/**
 * The stack that a command of this folder is called for, and the flags that are set.
 *
 * @throws UsageError for anything else among the arguments
 */
export function stackArguments<const Flag extends string = never>(
  args: readonly string[],
  flags: readonly Flag[] = [],
): { readonly stack: string; readonly flags: ReadonlySet<Flag> } {
  const usage = `allowed: STACK${flags.map((flag) => ` [--${flag}]`).join("")}`;
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: "boolean" as const }]));
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [stack = "", ...others] = positionals;
    if (!STACK.test(stack) || others.length > 0) throw new Error(`got ${JSON.stringify(positionals.join(" "))}`);
    return { stack, flags: new Set(flags.filter((flag) => values[flag] === true)) };
  } catch (cause) {
    throw new UsageError(`${messageOf(cause)}; ${usage}`, { cause });
  }
}
