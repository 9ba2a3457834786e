import { serve } from "../../bench/pool/worker.ts";
import type { RowResult } from "./row.ts";
import { ROWS } from "./rows.ts";
import { runRow } from "./run-row.ts";
import { openStage } from "./stage.ts";

/** What a process is asked, and answers. */
export interface MatrixCalls {
  /** Runs one row on the environment of this process; one at a time. */
  run: { asked: { readonly id: string }; answer: RowResult };
  /** Stops the environment. Answers with the warnings of Node so far, such as one of too many listeners. */
  stop: { asked: object; answer: { readonly warnings: readonly string[] } };
}

const warnings: string[] = [];
process.on("warning", ({ name, message }) => warnings.push(`${name}: ${message}`));

const opening = openStage();
opening.catch(() => {});
let stopped = false;
const stop = async (): Promise<void> => {
  if (stopped) return;
  stopped = true;
  await opening.then((stage) => stage.close());
};

await serve<MatrixCalls>({
  run: async ({ id }) => {
    const row = ROWS.find((known) => known.id === id);
    if (row === undefined) throw new Error(`there is no row ${id}, only ${ROWS.map((known) => known.id).join("; ")}`);
    return runRow(row, await opening);
  },
  stop: async () => {
    await stop();
    return { warnings };
  },
});
await stop();
