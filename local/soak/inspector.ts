import type { ContainerLine } from "../container-log.ts";
import { edit } from "../program/edit.ts";
import { readDeclared } from "../program/read.ts";
import type { Program } from "../program.ts";

/** Limit of one question, in milliseconds: a walk through the heap of a busy service takes a tenth of a second. */
const ANSWER_MS = 15_000;

/** What could not be learned of the process. */
export class InspectorError extends Error {
  readonly code = "INSPECTOR_FAILED";
}

/**
 * The program as if the service's container were declared with Node's inspector open, on a free port of the loopback address. It is Node's
 * own, so the application knows nothing of it and runs as ever.
 */
export function withInspector(program: Program): Program {
  const { containerName } = readDeclared(program).service;
  const task = program.resources.find(({ type }) => type.endsWith(":TaskDefinition"));
  return edit(program, { type: "TaskDefinition", name: task?.name ?? "" }, (inputs) => {
    const containers = JSON.parse(String(inputs.containerDefinitions)) as {
      readonly name: string;
      readonly environment?: readonly { readonly name: string; readonly value: string }[];
    }[];
    const inspected = containers.map((container) => {
      if (container.name !== containerName) return container;
      const others = container.environment?.filter(({ name }) => name !== "NODE_OPTIONS") ?? [];
      const declared = container.environment?.find(({ name }) => name === "NODE_OPTIONS")?.value;
      const value = [declared, "--inspect=127.0.0.1:0"].filter(Boolean).join(" ");
      return { ...container, environment: [...others, { name: "NODE_OPTIONS", value }] };
    });
    return { ...inputs, containerDefinitions: JSON.stringify(inspected) };
  });
}

/** Address of the inspector, when this is the line in which Node tells it. */
export function inspectorUrl({ stream, text }: Pick<ContainerLine, "stream" | "text">): string | undefined {
  return stream === "stderr" ? /^Debugger listening on (ws:\S+)$/.exec(text)?.[1] : undefined;
}

interface Reply {
  readonly id?: number;
  readonly result?: object;
  readonly error?: { readonly message: string };
}

interface Evaluation {
  readonly result: { readonly value?: unknown; readonly objectId?: string };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

/** A connection to the inspector of a process ("Chrome DevTools Protocol", domains Runtime and HeapProfiler). */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply;
      if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
    });
    socket.addEventListener("close", () => {
      for (const answer of this.#waiting.values()) answer({ error: { message: "the process has closed it" } });
    });
  }

  /** @throws InspectorError when nobody answers there */
  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new InspectorError(`no inspector answers at ${url}`)));
    const late = setTimeout(() => {
      reject(new InspectorError(`the inspector at ${url} did not answer within ${ANSWER_MS} ms`));
      socket.close();
    }, ANSWER_MS);
    await opened.finally(() => clearTimeout(late));
    return new Inspector(socket);
  }

  /** The value of an expression, as JSON carries it. */
  async evaluate(expression: string): Promise<unknown> {
    return valueFrom(await this.#ask("Runtime.evaluate", { expression, returnByValue: true }));
  }

  /**
   * What a function makes of every live object that inherits from a prototype.
   *
   * @param prototype expression for it
   * @param summary source of a function of the array of objects, whose value JSON can carry
   */
  async summarize(prototype: string, summary: string): Promise<unknown> {
    const objectGroup = "census";
    try {
      const found = await this.#ask("Runtime.evaluate", { expression: prototype, objectGroup });
      const prototypeObjectId = (found as Evaluation).result.objectId;
      const { objects } = (await this.#ask("Runtime.queryObjects", { prototypeObjectId, objectGroup })) as {
        readonly objects: { readonly objectId: string };
      };
      return valueFrom(
        await this.#ask("Runtime.callFunctionOn", {
          objectId: objects.objectId,
          functionDeclaration: `function () { return (${summary})(this); }`,
          returnByValue: true,
        }),
      );
    } finally {
      // What is held for the answer would be counted, and kept alive, at the next census.
      await this.#ask("Runtime.releaseObjectGroup", { objectGroup }).catch(() => {});
    }
  }

  /** Without it the process would wait for us at its end. */
  close(): void {
    this.#socket.close();
  }

  async #ask(method: string, params: object = {}): Promise<object> {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    const id = ++this.#lastId;
    this.#waiting.set(id, resolve);
    const message = `no answer within ${ANSWER_MS} ms`;
    const late = setTimeout(() => resolve({ error: { message } }), ANSWER_MS);
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ id, method, params }));
    else resolve({ error: { message: "the connection is closed" } });
    const reply = await promise;
    clearTimeout(late);
    this.#waiting.delete(id);
    if (reply.error)
      throw new InspectorError(`the inspector of the service failed at ${method}: ${reply.error.message}`);
    return reply.result ?? {};
  }
}

function valueFrom(reply: object): unknown {
  const { result, exceptionDetails } = reply as Evaluation;
  if (exceptionDetails === undefined) return result.value;
  const { text, exception } = exceptionDetails;
  throw new InspectorError(`the service's process could not be counted: ${exception?.description ?? text}`);
}
