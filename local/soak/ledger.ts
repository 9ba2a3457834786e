import type pg from "pg";
import type { Outcome } from "../load/outcome.ts";
import type { RequestKind } from "../load/workload.ts";

/** The kinds of requests that write, each of which writes something that no other request of the load does. */
const WRITING = ["create", "rename", "add member", "transfer"] as const satisfies readonly RequestKind[];

/** What the database was made to do for requests of one kind. */
export interface Entry {
  readonly kind: string;
  /** How often a row was written. */
  readonly writes: number;
  /** How many different things were written: less than `writes` when something was written twice. */
  readonly different: number;
}

/** How what the database did compares with what was asked of it. */
export interface Reckoning {
  /** Writes that were acknowledged. */
  readonly acknowledged: number;
  /** Acknowledged, and not done. */
  readonly lost: number;
  /** Done again, or done without having been asked for, which is what a repeated statement with an id of its own looks like. */
  readonly doubled: number;
}

/**
 * Lets the database itself note every write of the load, by triggers of its superuser: the rows that are there in the end would not tell
 * that one of them was written twice. An owner who loses a project with its transfer is a write without a request of its own.
 */
export async function keepLedger(superuser: Pick<pg.ClientBase, "query">): Promise<void> {
  await superuser.query(`
    CREATE SCHEMA soak;
    CREATE TABLE soak.writes (kind text NOT NULL, what text NOT NULL);
    CREATE FUNCTION soak.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = soak, pg_catalog AS $$
      DECLARE
        written jsonb := to_jsonb(NEW);
      BEGIN
        INSERT INTO writes SELECT
          CASE TG_TABLE_NAME || ' ' || TG_OP
            WHEN 'projects INSERT' THEN 'create'
            WHEN 'projects UPDATE' THEN 'rename'
            WHEN 'members INSERT' THEN 'add member'
            WHEN 'members UPDATE' THEN CASE written->>'role' WHEN 'owner' THEN 'transfer' ELSE 'succeeded' END
          END,
          concat_ws(' ', written->>'id', CASE TG_OP WHEN 'UPDATE' THEN written->>'name' END);
        RETURN NULL;
      END
    $$;
    CREATE TRIGGER soak AFTER INSERT OR UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION soak.note();
    CREATE TRIGGER soak AFTER INSERT OR UPDATE ON members FOR EACH ROW EXECUTE FUNCTION soak.note();
  `);
}

/** What was noted, by kind. */
export async function readLedger(superuser: Pick<pg.ClientBase, "query">): Promise<readonly Entry[]> {
  const { rows } = await superuser.query<Entry>(
    `SELECT kind, count(*)::int AS writes, count(DISTINCT what)::int AS different FROM soak.writes GROUP BY kind ORDER BY kind`,
  );
  return rows;
}

/** Compares what was noted with what was asked. A request that failed may have written, once. */
export function reckon(entries: readonly Entry[], outcomes: readonly Outcome[]): Reckoning {
  let [acknowledged, lost, doubled] = [0, 0, 0];
  for (const { writes, different } of entries) doubled += writes - different;
  for (const kind of WRITING) {
    const asked = outcomes.filter((outcome) => outcome.kind === kind);
    const succeeded = asked.filter(({ succeeded }) => succeeded).length;
    const done = entries.find((entry) => entry.kind === kind)?.different ?? 0;
    acknowledged += succeeded;
    lost += Math.max(0, succeeded - done);
    doubled += Math.max(0, done - asked.length);
  }
  return { acknowledged, lost, doubled };
}
