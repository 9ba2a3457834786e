import pg from "pg";

/** Statements that the ledger itself runs; none should take longer. Milliseconds. */
const LIMIT_MS = 10_000;

/** How often the database began a write, whatever became of it, and how often it keeps it. */
export interface Tally {
  readonly begun: number;
  readonly stored: number;
}

/** What every write takes part in: made once, and asked by the tests past the proxy and past every fault. */
const SCHEMA = `
  CREATE TABLE stored (id integer NOT NULL);
  CREATE TABLE stored_late (id integer NOT NULL, gate bigint NOT NULL);

  -- A sequence is not rolled back, so it counts what was begun and undone too.
  CREATE FUNCTION begin_write(id integer) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN PERFORM nextval('begun_' || id); END $$;

  -- Waits until the gate is opened; shared, so that those who wait do not wait for each other.
  CREATE FUNCTION pass_gate(gate bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(gate); END $$;

  CREATE FUNCTION write(id integer, gate bigint DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM begin_write(id);
      IF gate IS NOT NULL THEN PERFORM pass_gate(gate); END IF;
      INSERT INTO stored VALUES (id);
    END $$;

  -- Written at once, and yet not before COMMIT has passed the gate. What COMMIT says until then reaches the client first.
  CREATE FUNCTION write_late(id integer, gate bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM begin_write(id);
      INSERT INTO stored VALUES (id);
      INSERT INTO stored_late VALUES (id, gate);
    END $$;
  CREATE FUNCTION pass_late() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE NOTICE 'committing';
      PERFORM pass_gate(NEW.gate);
      RETURN NULL;
    END $$;
  CREATE CONSTRAINT TRIGGER late AFTER INSERT ON stored_late DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION pass_late();

  GRANT ALL ON stored, stored_late TO PUBLIC;
`;

/** Counts what the database did, and holds it back until a test lets it go on. */
export class Ledger {
  /** One connection, which holds the gates, and another once that is gone: a restart of the database ends it too. */
  readonly #pool: pg.Pool;
  #ids = 0;
  #gates = 0;

  private constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url, max: 1, idleTimeoutMillis: 0, query_timeout: LIMIT_MS });
    this.#pool.on("error", () => {});
  }

  /** @param url of the superuser, straight to the database */
  static async open(url: string): Promise<Ledger> {
    const ledger = new Ledger(url);
    await ledger.#query(SCHEMA);
    return ledger;
  }

  /** Numbers for writes that are to be counted. */
  async ids(count: number): Promise<readonly number[]> {
    const ids = Array.from({ length: count }, () => ++this.#ids);
    await this.#query(
      ids.map((id) => `CREATE SEQUENCE begun_${id}; GRANT USAGE ON SEQUENCE begun_${id} TO PUBLIC;`).join("\n"),
    );
    return ids;
  }

  /** A gate that is closed. Gates are open after a restart of the database. */
  async gate(): Promise<number> {
    const gate = ++this.#gates;
    await this.#query("SELECT pg_advisory_lock($1)", [gate]);
    return gate;
  }

  async open(gate: number): Promise<void> {
    const unlock = "SELECT pg_advisory_unlock(objid::bigint) FROM pg_locks WHERE pid = pg_backend_pid() AND objid = $1";
    // A statement that fails costs pg.Pool its connection, and the end of that opens the gate too.
    await this.#query(unlock, [gate]).catch(() => {});
  }

  /** How many backends stand at a gate. */
  async waitingAt(gate: number): Promise<number> {
    const [row] = await this.#query<{ n: number }>(
      "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted",
      [gate],
    );
    return row?.n ?? 0;
  }

  /** How many backends serve clients of that name. */
  async backendsOf(application: string): Promise<number> {
    const [row] = await this.#query<{ n: number }>(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1",
      [application],
    );
    return row?.n ?? 0;
  }

  async tally(id: number): Promise<Tally> {
    const [row] = await this.#query<Tally>(
      `SELECT CASE WHEN is_called THEN last_value::int ELSE 0 END AS begun,
         (SELECT count(*)::int FROM stored WHERE id = $1) AS stored FROM begun_${id}`,
      [id],
    );
    return row ?? { begun: 0, stored: 0 };
  }

  /** What the database keeps of a user's password: another after each change. */
  async passwordOf(user: string): Promise<string> {
    const [row] = await this.#query<{ rolpassword: string }>("SELECT rolpassword FROM pg_authid WHERE rolname = $1", [
      user,
    ]);
    return row?.rolpassword ?? "";
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return (await this.#pool.query<Row>(text, values && [...values])).rows;
  }
}
