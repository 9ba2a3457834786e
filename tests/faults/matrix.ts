import { startWorker, type Worker } from "../../bench/pool/worker.ts";
import type { MatrixCalls } from "./matrix-process.ts";
import type { Row, RowResult } from "./row.ts";
import { ROWS } from "./rows.ts";

/** Processes, with an environment each, that run rows side by side: most of a row is waiting, and each start costs processor time. */
const PROCESSES = 2;
/** Limits of a row, the first of which waits for the environment, and of the end of an environment. Milliseconds. */
const ROW_MS = 60_000;
const STOP_MS = 15_000;

/** The whole matrix as it came out. */
export interface Matrix {
  /** In the order of the rows; an error where one could not be run. */
  readonly results: ReadonlyMap<Row, RowResult | Error>;
  /** Warnings of Node, such as one of too many listeners. */
  readonly warnings: readonly string[];
}

/** Runs every row, several side by side, each in an environment with pools of its own. */
export async function runMatrix(): Promise<Matrix> {
  const outcomes = new Map<Row, RowResult | Error>();
  // What lasts for as long as it likes comes first, so that it does not come last.
  const queue = [...ROWS].sort((a, b) => Number(b.endsByItself ?? false) - Number(a.endsByItself ?? false));
  const workers = Array.from({ length: PROCESSES }, (_, n) => start(n + 1));
  const warnings = await Promise.all(workers.map((worker) => work(worker, queue, outcomes)));
  const inOrder = ROWS.map((row) => [row, outcomes.get(row) ?? new Error("It was not run")] as const);
  return { results: new Map(inOrder), warnings: warnings.flat() };
}

function start(n: number): Worker<MatrixCalls> {
  // Neither credentials nor a password of whoever runs the tests.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:AWS_|PG)/.test(name)));
  return startWorker<MatrixCalls>(new URL("./matrix-process.ts", import.meta.url), { name: `faults ${n}`, env });
}

/** Lets one process take row after row, until none is left. */
async function work(
  worker: Worker<MatrixCalls>,
  queue: Row[],
  outcomes: Map<Row, RowResult | Error>,
): Promise<readonly string[]> {
  try {
    for (let row = queue.shift(); row; row = queue.shift()) {
      const { id } = row;
      const outcome = await worker.ask("run", { id }, ROW_MS).catch((error: Error) => error);
      outcomes.set(row, outcome);
    }
    const { warnings } = await worker.ask("stop", {}, STOP_MS).catch((error: Error) => ({ warnings: [error.message] }));
    return warnings;
  } finally {
    await worker.stop();
  }
}
