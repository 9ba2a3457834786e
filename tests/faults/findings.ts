import { renderDocument } from "./document.ts";
import type { Matrix } from "./matrix.ts";
import type { Row, RowResult } from "./row.ts";
import { wrongs } from "./truth.ts";

/** Where the document is. */
export const DOCUMENT = new URL("../../docs/faults.md", import.meta.url);

/** What is wrong with one row, in words; empty when nothing is. */
export function wrongsOfRow(row: Row, result: RowResult | Error | undefined): readonly string[] {
  if (result === undefined) return [`${row.id}: it was not run`];
  if (result instanceof Error) return [`${row.id}: ${result.message}`];
  return result.cells.flatMap((cell) => wrongs(cell, row)).map((wrong) => `${row.id}: ${wrong}`);
}

/** What is wrong with a whole matrix. */
export function wrongsOf({ results, warnings }: Matrix): readonly string[] {
  return [...[...results].flatMap(([row, result]) => wrongsOfRow(row, result)), ...warnings];
}

/**
 * The document that belongs to a matrix.
 *
 * @throws Error when a row could not be run
 */
export function documentOf({ results }: Matrix): string {
  const complete = [...results].map(([row, result]): [Row, RowResult] => {
    if (result instanceof Error) throw new Error(`The row ${row.id} could not be run`, { cause: result });
    return [row, result];
  });
  return renderDocument(new Map(complete));
}
