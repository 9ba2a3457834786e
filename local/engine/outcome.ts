import type { EventEmitter } from "node:events";
import type { DestroyOptions, EngineEvent, PreviewOptions, Stack, UpOptions } from "@pulumi/pulumi/automation/index.js";

/** How an operation of the engine went. */
export interface Outcome {
  readonly events: readonly EngineEvent[];
  /** What the CLI wrote for people. */
  readonly text: string;
  /** Why it failed, as the CLI says it; undefined when it did not. */
  readonly failed: string | undefined;
}

/** Previews a stack; a failure is an outcome too. */
export function preview(stack: Stack, options: PreviewOptions = {}): Promise<Outcome> {
  return observed((onEvent, onOutput) => stack.preview({ ...options, onEvent, onOutput }));
}

/** Deploys a stack; a failure is an outcome too. */
export function up(stack: Stack, options: UpOptions = {}): Promise<Outcome> {
  return observed((onEvent, onOutput) => stack.up({ ...options, onEvent, onOutput }));
}

/**
 * Destroys a stack as `pulumi destroy` does: what a preview refuses, as it does where something is protected, is not begun. With
 * `--skip-preview` the engine would delete what is not protected before it comes to what is.
 */
export async function destroy(stack: Stack, options: DestroyOptions = {}): Promise<Outcome> {
  const before = await observed((onEvent, onOutput) => stack.previewDestroy({ ...options, onEvent, onOutput }));
  if (before.failed !== undefined) return before;
  return observed((onEvent, onOutput) => stack.destroy({ ...options, onEvent, onOutput }));
}

async function observed(
  operate: (onEvent: (event: EngineEvent) => void, onOutput: (text: string) => void) => Promise<unknown>,
): Promise<Outcome> {
  const events: EngineEvent[] = [];
  let text = "";
  const restore = leaveErrorsToPulumi();
  const failed = await operate(
    (event) => events.push(event),
    (part) => {
      text += part;
    },
  ).then(
    () => undefined,
    (error: unknown) => reason(error),
  );
  // What the end of the engine lets fail is told only after the microtasks of this turn.
  await new Promise((resolve) => setImmediate(resolve));
  restore();
  return { events, text, failed };
}

/** Of the Automation API's account of a command that failed, what the command wrote to stderr. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, written] = /stderr: Command failed[^\n]*\n([\s\S]*?)(?:\n err\?:|$)/.exec(message) ?? [];
  return (written ?? message).trim();
}

/**
 * Takes the process's own listeners for errors that nobody catches away for a while. Programs that fail do so by such errors; Pulumi
 * listens to them itself and has the engine report them, and what follows when the engine has gone is nobody's.
 */
function leaveErrorsToPulumi(): () => void {
  const ignore = () => {};
  const restored = (["uncaughtException", "unhandledRejection"] as const).map((event) => {
    const events: EventEmitter = process;
    const others = events.listeners(event) as ((...args: unknown[]) => void)[];
    for (const listener of others) events.removeListener(event, listener);
    events.on(event, ignore);
    return () => {
      events.removeListener(event, ignore);
      for (const listener of others) events.on(event, listener);
    };
  });
  return () => {
    for (const restore of restored) restore();
  };
}
