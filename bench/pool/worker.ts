import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Reply, Request } from "./messages.ts";

/** What a process can be asked, and what it answers, by the name of the call. */
type CallsOf<Calls> = { readonly [Name in keyof Calls]: { readonly asked: object; readonly answer: object } };

/** How a process answers each call; the table that `serve` takes. */
export type Handlers<Calls extends CallsOf<Calls>> = {
  readonly [Name in keyof Calls]: (asked: Calls[Name]["asked"]) => Promise<Calls[Name]["answer"]>;
};

/** How a process is started. */
export interface WorkerOptions {
  /** What errors call it. */
  readonly name: string;
  /** Its whole environment; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly execArgv?: readonly string[];
}

/** A process of its own that is asked one thing after the other. */
export interface Worker<Calls extends CallsOf<Calls>> {
  /**
   * Asks, and waits for the answer.
   *
   * @param limitMs after which the process is killed
   * @throws Error with what the process said, or how it ended, or that it did not answer in time
   */
  ask<Name extends keyof Calls & string>(
    name: Name,
    asked: Calls[Name]["asked"],
    limitMs: number,
  ): Promise<Calls[Name]["answer"]>;
  /** Lets it end by itself, within some seconds, and kills it then. Never rejects. */
  stop(limitMs?: number): Promise<void>;
}

/** A process has only its pool to end. */
const STOP_MS = 3_000;

/** Starts a module as a process that answers `Calls`. Its output goes to stderr, since stdout is for results. */
export function startWorker<Calls extends CallsOf<Calls>>(
  module: URL,
  { name, env, execArgv = [] }: WorkerOptions,
): Worker<Calls> {
  const child = fork(module, { ...(env && { env }), execArgv: [...execArgv], stdio: ["ignore", 2, 2, "ipc"] });
  const waiting = new Map<number, { resolve(result: object): void; reject(error: Error): void }>();
  const exited = endOf(child).then((how) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${name}: its process ended (${how}) before it answered`));
    waiting.clear();
    return how;
  });
  child.on("message", ({ id, result, error }: Reply) => {
    const caller = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) caller?.resolve(result ?? {});
    else caller?.reject(new Error(`${name}: ${error}`));
  });
  let lastId = 0;
  const ask: Worker<Calls>["ask"] = async (call, asked, limitMs) => {
    if (!child.connected)
      throw new Error(`${name}: its process has ended (${await exited}) and cannot be asked for "${call}"`);
    const { promise, resolve, reject } = Promise.withResolvers<object>();
    const id = ++lastId;
    waiting.set(id, { resolve, reject });
    const late = setTimeout(() => {
      reject(new Error(`${name}: no answer to "${call}" within ${limitMs} ms, and was killed`));
      child.kill("SIGKILL");
    }, limitMs);
    child.send({ id, call, request: asked } satisfies Request, (error) => error && reject(error));
    return promise.finally(() => clearTimeout(late));
  };
  return {
    ask,
    stop: async (limitMs = STOP_MS) => {
      // Not by a signal: Ctrl-C has sent one to every process, and a second one means "at once".
      if (child.connected) child.disconnect();
      const late = setTimeout(() => child.kill("SIGKILL"), limitMs);
      await exited;
      clearTimeout(late);
    },
  };
}

async function endOf(child: ChildProcess): Promise<string> {
  const failed = once(child, "error").then(([error]) => `it could not be run: ${(error as Error).message}`);
  const exited = once(child, "exit").then(([code, signal]) => `${signal ?? `exit status ${code}`}`);
  return Promise.race([failed.catch(String), exited.catch(String)]);
}

/** The other side: answers the parent's questions, and resolves when the parent lets go or has ended. */
export async function serve<Calls extends CallsOf<Calls>>(handlers: Handlers<Calls>): Promise<void> {
  const send = (reply: Reply) => {
    // The parent may have gone meanwhile, and nobody is left to be told.
    if (process.connected) process.send?.(reply, undefined, undefined, () => {});
  };
  process.on("message", ({ id, call, request }: Request) => {
    const handler = handlers[call as keyof Calls] as ((request: object) => Promise<object>) | undefined;
    const answer = handler === undefined ? Promise.reject(new Error(`there is no call ${call}`)) : handler(request);
    answer.then(
      (result) => send({ id, result }),
      (error: unknown) => send({ id, error: error instanceof Error ? error.message : String(error) }),
    );
  });
  await once(process, "disconnect");
}
