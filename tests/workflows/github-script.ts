import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { type Step, scriptOf } from "./workflow-files.ts";

const require = createRequire(import.meta.url);

/** A call of GitHub's API: name of the operation, such as `issues.update`, and what it was given. */
export interface ApiCall {
  readonly operation: string;
  readonly given: Readonly<Record<string, unknown>>;
}

/** What a script of actions/github-script did. */
export interface ScriptRun {
  /** Calls that asked, and calls that wrote, in their order. */
  readonly calls: readonly ApiCall[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly failures: readonly string[];
  readonly notices: readonly string[];
}

/** Where a script runs, and what GitHub answers it. */
export interface ScriptSurroundings {
  /** Folder of the job. */
  readonly folder?: string;
  /** `context.payload`. */
  readonly payload?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  /** Answers by operation, the `data` of each; an operation without an answer writes, and is answered with nothing. */
  readonly answers?: Readonly<Record<string, unknown>>;
}

type Client = (given: Record<string, unknown>) => Promise<{ data: unknown }>;

/** Calls that a script may make: an operation that is not here is an error, as it is to Octokit. */
const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  actions: ["listWorkflowRunArtifacts"],
  issues: ["create", "createComment", "listComments", "listForRepo", "update", "updateComment"],
  pulls: ["list"],
  repos: ["listDeployments", "listDeploymentStatuses"],
};

/** Runs the script of a step as actions/github-script does: an async function of `github`, `context`, `core` and `require`. */
export async function runScript(step: Step, surroundings: ScriptSurroundings = {}): Promise<ScriptRun> {
  assert.match(step.uses ?? "", /^actions\/github-script@/);
  const { folder = ".", payload = {}, env = {}, answers = {} } = surroundings;
  const calls: ApiCall[] = [];
  const outputs: Record<string, unknown> = {};
  const failures: string[] = [];
  const notices: string[] = [];
  const client = (operation: string): Client => {
    return async (given) => {
      calls.push({ operation, given });
      const answer = answers[operation];
      return { data: typeof answer === "function" ? answer(given) : answer };
    };
  };
  const rest = Object.fromEntries(
    Object.entries(OPERATIONS).map(([scope, names]) => {
      return [scope, Object.fromEntries(names.map((name) => [name, client(`${scope}.${name}`)]))];
    }),
  );
  const given = {
    github: { rest, paginate: async (list: Client, options: Record<string, unknown>) => (await list(options)).data },
    context: { repo: { owner: "acme", repo: "service" }, payload, serverUrl: "https://github.com", runId: 7 },
    core: {
      setOutput: (name: string, value: unknown) => {
        outputs[name] = value;
      },
      setFailed: (message: string) => void failures.push(message),
      notice: (message: string) => void notices.push(message),
    },
    require: (name: string) => (name === "node:fs" ? filesIn(folder) : require(name)),
    process: { env },
  };
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction(...Object.keys(given), scriptOf(step))(...Object.values(given));
  return { calls, outputs, failures, notices };
}

/** The calls that wrote. */
export function writes({ calls }: ScriptRun): readonly ApiCall[] {
  return calls.filter(({ operation }) => !/\.list/.test(operation));
}

/** node:fs as seen from a folder, since the folder of this process is another. */
function filesIn(folder: string): object {
  const at = (file: string) => path.resolve(folder, file);
  return {
    existsSync: (file: string) => fs.existsSync(at(file)),
    lstatSync: (file: string) => fs.lstatSync(at(file)),
    readdirSync: (file: string) => fs.readdirSync(at(file)),
    readFileSync: (file: string, encoding?: BufferEncoding) => {
      return encoding === undefined ? fs.readFileSync(at(file)) : fs.readFileSync(at(file), encoding);
    },
  };
}
