import { Problem } from "./problems.ts";

/** Position of a row in a list ordered by age, then id. */
export interface Position {
  readonly createdAt: Date;
  readonly id: string;
}

/** A page of a list: ask for the next with `nextCursor`, until it is null. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** A page of `limit` rows, out of up to `limit + 1` that were read: the one more tells whether there is a next page. */
export function pageOf<T extends Position>(rows: readonly T[], limit: number): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(last) : null };
}

function encodeCursor({ createdAt, id }: Position): string {
  return Buffer.from(`${createdAt.getTime()} ${id}`).toString("base64url");
}

const CURSOR = /^(\d{1,15}) ([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The position that a cursor stands for; undefined without a cursor. Throws a 400 for one that we did not make. */
export function decodeCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, time, id] = CURSOR.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (time === undefined || id === undefined) {
    throw new Problem(400, "VALIDATION", "querystring cursor: use the nextCursor of the page before");
  }
  return { createdAt: new Date(Number(time)), id };
}
