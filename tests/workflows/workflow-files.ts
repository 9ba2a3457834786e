import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const FOLDER = fileURLToPath(new URL("../../.github/workflows/", import.meta.url));

/** A step of a job, as far as tests look at it. */
export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A job, as far as tests look at it. */
export interface Job {
  readonly if?: string;
  readonly uses?: string;
  readonly needs?: string | readonly string[];
  readonly with?: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly concurrency?: Readonly<Record<string, unknown>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
  readonly services?: Readonly<Record<string, { readonly image: string; readonly ports: readonly string[] }>>;
  readonly "runs-on"?: string;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

/** A workflow file. */
export interface Workflow {
  readonly name: string;
  /** Text of the file, comments included. */
  readonly text: string;
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly concurrency?: Readonly<Record<string, unknown>>;
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Every workflow of the repository, by the name of its file. */
export const WORKFLOWS: ReadonlyMap<string, Workflow> = new Map(
  readdirSync(FOLDER)
    .sort()
    .map((file) => {
      const text = readFileSync(`${FOLDER}${file}`, "utf8");
      return [file, { ...parse(text), text } as Workflow] as const;
    }),
);

/** One workflow; fails when there is none. */
export function workflow(file: string): Workflow {
  const found = WORKFLOWS.get(file);
  assert.ok(found, `no workflow ${file}; there are ${[...WORKFLOWS.keys()].join(", ")}`);
  return found;
}

/** One job; fails when there is none. */
export function job(file: string, name: string): Job {
  const found = workflow(file).jobs[name];
  assert.ok(found, `${file} has no job ${name}`);
  return found;
}

/** Every job of every workflow, as `file job`. */
export const JOBS: readonly (readonly [where: string, job: Job])[] = [...WORKFLOWS].flatMap(([file, { jobs }]) =>
  Object.entries(jobs).map(([name, found]) => [`${file} ${name}`, found] as const),
);

/** Every step of every job, as `file job n`. */
export const STEPS: readonly (readonly [where: string, step: Step])[] = JOBS.flatMap(([where, { steps = [] }]) =>
  steps.map((step, index) => [`${where} ${index + 1}`, step] as const),
);

/** What a step runs: its shell script, or the script of actions/github-script. */
export function scriptOf({ run, with: inputs }: Step): string {
  return run ?? (typeof inputs?.script === "string" ? inputs.script : "");
}

/** All that a job runs. */
export function scriptsOf({ steps = [] }: Job): string {
  return steps.map(scriptOf).join("\n");
}

/** The one step of a job with a name; fails when there is another count. */
export function stepNamed({ steps = [] }: Job, name: string): Step {
  const found = steps.filter((step) => step.name === name);
  assert.equal(found.length, 1, `${found.length} steps named ${name}`);
  return found[0] as Step;
}

/** An expression of GitHub's, as a workflow has it. */
export function expression(text: string): string {
  return `\${{ ${text} }}`;
}
