import { z } from "zod";
import { DeliveryError, type Run } from "./run.ts";

/** Outputs of a stack, by name. */
export type StackOutputs = Readonly<Record<string, unknown>>;

/** Asks Pulumi for a stack's outputs, secrets masked. A stack that was never deployed has none. */
export async function stackOutputs(stack: string, run: Run): Promise<StackOutputs> {
  const text = await run("pulumi", ["stack", "output", "--json", "--non-interactive", "--stack", stack]);
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw new DeliveryError(`pulumi printed no object of outputs for stack ${stack}, but ${text.slice(0, 200)}`, {
      cause,
    });
  }
}

/**
 * One output that is text.
 *
 * @throws DeliveryError when the stack has no such output
 */
export function textOutput(outputs: StackOutputs, name: string): string {
  const value = outputs[name];
  if (typeof value === "string" && value !== "") return value;
  throw new DeliveryError(
    `the stack has no output ${name}; deploy it first. It has: ${Object.keys(outputs).sort().join(", ") || "none"}`,
  );
}
