import { Signer } from "@aws-sdk/rds-signer";
import Table from "cli-table3";
import { type CommandContext, UsageError } from "../local/command.ts";
import { startEnvironment } from "../local/environment.ts";
import { evaluate, type Program } from "../local/program.ts";
import { spreadOf } from "./statistics.ts";

const HELP = `Usage: npm run bench -- start

Measures this machine, now: evaluating the program, bringing the environment up, the service's start, minting a token, a request.
Prints medians with their spread. Tests assert none of it, since machines differ.`;

/** How often each thing is measured; the environment takes seconds, a token microseconds. */
const ROUNDS = { evaluation: 5, environment: 3, tokens: 2_000, requests: 500 } as const;

/** The benchmark of whatever happens before the first request, as a command: returns its exit status. */
export async function benchStart(args: readonly string[], context: CommandContext): Promise<number> {
  const [option] = args;
  if (option === "--help") {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  if (option !== undefined) throw new UsageError(`${option} is not understood\n\n${HELP}`);
  const table = new Table({ head: ["measured", "median", "least", "most", "rounds"], style: { head: [], border: [] } });
  const add = (what: string, unit: string, samples: readonly number[]) => table.push([what, ...spread(samples, unit)]);
  context.log("evaluating the program");
  let program: Program | undefined;
  const evaluateOnce = async () => {
    program = await evaluate("production");
  };
  add("evaluate the program, first time", "ms", [await timed(evaluateOnce)]);
  add("evaluate the program, again", "ms", await repeat(ROUNDS.evaluation, () => timed(evaluateOnce)));
  if (program === undefined) throw new Error("the program was not evaluated");
  const environments = [];
  for (let round = 0; round < ROUNDS.environment; round++)
    environments.push(await measureEnvironment(program, context));
  add(
    "environment up, from declarations to a healthy service",
    "ms",
    environments.map(({ upMs }) => upMs),
  );
  add(
    "service answers after its process was started",
    "ms",
    environments.map(({ startMs }) => startMs),
  );
  add(
    "one request through load balancer, service and proxy",
    "ms",
    environments.flatMap(({ requestMs }) => requestMs),
  );
  context.log("minting tokens");
  const mint = tokenMint();
  add("mint a token, first", "ms", [await timed(mint)]);
  add("mint a token, again", "ms", await repeat(ROUNDS.tokens, () => timed(mint)));
  process.stdout.write(`${table}\n`);
  return 0;
}

/** Brings the environment up once, asks the service for something, and takes it down. */
async function measureEnvironment(program: Program, { log, signal }: CommandContext) {
  log("bringing the environment up");
  const before = performance.now();
  let startMs = Number.NaN;
  const environment = await startEnvironment(program, {
    signal,
    log: () => {},
    onLine: ({ record }) => {
      if (record?.msg === "The service is ready") startMs = Date.now();
    },
  });
  const upMs = performance.now() - before;
  try {
    if (environment.service === undefined) throw new Error("the environment has no service");
    const { task, loadBalancer } = environment.service;
    const url = new URL("/projects", loadBalancer.url);
    const request = async () => void (await (await fetch(url, { signal })).arrayBuffer());
    await repeat(ROUNDS.requests / 5, () => timed(request));
    const requestMs = await repeat(ROUNDS.requests, () => timed(request));
    return { upMs, startMs: startMs - task.application.startedAt, requestMs };
  } finally {
    await environment.stop();
  }
}

/** Mints with credentials that sign as well as real ones: signing needs no network. */
function tokenMint(): () => Promise<void> {
  const signer = new Signer({
    hostname: "proxy.example.eu-west-2.rds.amazonaws.com",
    port: 5432,
    region: "eu-west-2",
    username: "service_owner",
    credentials: { accessKeyId: "ASIAEXAMPLE", secretAccessKey: "example", sessionToken: "example".repeat(100) },
  });
  return async () => void (await signer.getAuthToken());
}

async function timed(work: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

async function repeat(rounds: number, measure: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) samples.push(await measure());
  return samples;
}

function spread(samples: readonly number[], unit: string): string[] {
  const { median, least, most, count } = spreadOf(samples);
  const text = (value: number) => `${value < 10 ? value.toFixed(2) : Math.round(value)} ${unit}`;
  return [text(median), text(least), text(most), String(count)];
}
