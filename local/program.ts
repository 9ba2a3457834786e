import * as pulumi from "@pulumi/pulumi";
import { childrenOf, composedOutputs, isComposed } from "./awsx/children.ts";
import { ANSWERS, type Computed, type ComputeOutputs, OUTPUTS } from "./outputs.ts";
import { accountOf, type Place, placeOf } from "./place.ts";
import { PROGRAM_FOLDER, readStackConfiguration } from "./program/configuration.ts";
import { waitForRPCs, withLocalStorage } from "./program/pulumi-internals.ts";
import { type DeclaredResource, recordRegistrations } from "./program/resource.ts";

/** The program, evaluated: every resource that it declared and every stack output. */
export interface Program {
  readonly project: string;
  readonly stack: string;
  readonly place: Place;
  readonly resources: readonly DeclaredResource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface EvaluateOptions {
  /** Configuration over the stack file's, as to `pulumi config set`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Evaluate as in a preview, where computed outputs are unknown. Default false. */
  readonly preview?: boolean;
  /** Limit in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Folder, ending in a slash, of the Pulumi.yaml and the stack files. Default the project's own. */
  readonly folder?: URL;
  /** Module that is the program. Default the folder's index.ts; tests of the harness bring others. */
  readonly entry?: URL;
  /** Name that the stack goes by. Default that of the stack file which configures it. */
  readonly stackName?: string;
}

/** The program did not evaluate. `errors` holds everything that went wrong, and the message says all of it. */
export class ProgramError extends AggregateError {
  readonly code = "PROGRAM_FAILED";
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Types of this project's components, which compute nothing. */
const OWN_COMPONENT = /^(?:pulumi:pulumi:Stack|[a-z-]+:(?:infra|bootstrap):[A-Za-z]+)$/;

/** What a component computes, and what is known of a resource before it is made. */
const NOTHING: Computed = { id: "", outputs: {} };

let evaluations = 0;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Evaluates the program for a stack without AWS: every resource gets the outputs that AWS would compute. Evaluations run one
 * after the other, since the program's module is evaluated anew each time but Pulumi's unhandled errors are the process's.
 *
 * @throws StackConfigurationError for a stack or key that does not exist
 * @throws ProgramError with everything that went wrong in the program, or when it took too long
 */
export function evaluate(stack: string, options: EvaluateOptions = {}): Promise<Program> {
  const result = queue.then(() => evaluateAlone(stack, options));
  queue = result.catch(() => undefined);
  return result;
}

async function evaluateAlone(configuredBy: string, options: EvaluateOptions): Promise<Program> {
  const folder = options.folder ?? PROGRAM_FOLDER;
  const stack = options.stackName ?? configuredBy;
  const { project, values } = await readStackConfiguration(configuredBy, options.config, folder);
  const place = placeOf(values["aws:region"] ?? "", accountOf(values["aws:allowedAccountIds"]));
  const entry = new URL(options.entry ?? new URL("index.ts", folder));
  entry.searchParams.set("evaluation", String(++evaluations));
  const resources: DeclaredResource[] = [];
  const outputs = await withLocalStorage(() =>
    collectingErrors(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, async (note) => {
      pulumi.runtime.setAllConfig({ ...values });
      await pulumi.runtime.setMocks(
        mocks(place, options.preview ?? false, note),
        project,
        stack,
        options.preview ?? false,
      );
      recordRegistrations((resource) =>
        resources.push(resource, ...childrenOf(resource, place, options.preview ?? false)),
      );
      const run = pulumi.runtime.runInPulumiStack(async () => ({ ...(await import(entry.href)) }));
      const exported = await run.catch(note);
      await waitForRPCs();
      return (exported ?? {}) as Record<string, unknown>;
    }),
  );
  return { project, stack, place, resources, outputs };
}

/**
 * Runs `work` and throws everything that went wrong in it as one error. Pulumi's mocks lose errors: one that is thrown for a
 * resource that nothing reads surfaces, if ever, as an unhandled rejection; and an apply that never settles waits for ever.
 */
async function collectingErrors<T>(
  timeoutMs: number,
  work: (note: (error: unknown) => void) => Promise<T>,
): Promise<T> {
  const errors = new Set<unknown>();
  const note = (error: unknown) => {
    errors.add(error);
  };
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", note);
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        note(new Error(`the program did not finish within ${timeoutMs} ms: an Output in it never settles`));
        resolve(undefined);
      }, timeoutMs);
    });
    const result = await Promise.race([work(note), late]).catch(note);
    // Unhandled rejections are told only after the microtasks of this turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (errors.size > 0 || result === undefined) throw programError([...errors]);
    return result as T;
  } finally {
    clearTimeout(timer);
    process.removeListener("unhandledRejection", note);
    for (const listener of others) process.on("unhandledRejection", listener);
  }
}

/** One line for each different message: Pulumi reports one error for each Output that it spoilt, and again with a preface. */
function programError(errors: readonly unknown[]): ProgramError {
  const byMessage = new Map(errors.map((error) => [error instanceof Error ? error.message : String(error), error]));
  const messages = [...byMessage.keys()];
  const own = messages.filter(
    (message) => !messages.some((other) => other !== message && message.endsWith(`: ${other}`)),
  );
  return new ProgramError(
    own.map((message) => byMessage.get(message)),
    own.join("\n"),
  );
}

function mocks(place: Place, preview: boolean, note: (error: unknown) => void): pulumi.runtime.Mocks {
  const noting = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      note(error);
      throw error;
    }
  };
  return {
    newResource: ({ type, name, inputs }) =>
      noting(() => {
        const computes = outputsOf(type, name);
        // What AWS would compute is not known before the resource exists, and what is computed from it neither.
        const { id, outputs } = preview ? NOTHING : computes({ name, inputs }, place);
        return { id, state: { ...inputs, ...outputs } };
      }),
    call: ({ token, inputs }) =>
      noting(() => {
        const answer = ANSWERS[token];
        if (answer === undefined)
          throw new Error(`no answer to the function ${token}: add it to ANSWERS in local/outputs.ts`);
        return { ...answer(inputs, place) };
      }),
  };
}

function outputsOf(type: string, name: string): ComputeOutputs {
  const outputs = OUTPUTS[type];
  if (outputs !== undefined) return outputs;
  if (isComposed(type))
    return (made, place) => ({ id: "", outputs: composedOutputs(type, made.name, made.inputs, place) });
  if (OWN_COMPONENT.test(type)) return () => NOTHING;
  throw new Error(`no computed outputs for the resource type ${type} (${name}): add it to OUTPUTS in local/outputs.ts`);
}
