import assert from "node:assert/strict";
import pg from "pg";
import { PoolError, type RdsIamPool } from "../../../../app/postgres/index.ts";
import { turn } from "./virtual-time.ts";

/** How a holder gives its connection back, or what becomes of it first. */
export type Ending = "clean" | "discarded" | "in transaction" | "at work" | "failing" | "lost here" | "lost there";

/** A statement that the pool runs by itself, and the SQLSTATE that it fails with. */
export const STATEMENTS = {
  "SELECT 1": undefined,
  "SELECT 1/0": "22012",
  "BEGIN; SELECT 1/0": "22012",
  BEGIN: undefined,
} as const;

/** What a connection that is lost says to whoever uses it: node-postgres, Node, PostgreSQL. */
const LOST =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|read ECONN|write E|Cannot call write|terminating connection)/;

/** Callers of a real pool, who check what they are given. */
export class RealStage {
  readonly #pool: RdsIamPool;
  readonly #max: number;
  readonly #lent: pg.PoolClient[] = [];
  /** What was seen where an exception would not reach the test. */
  #violation: unknown;
  readonly outcome = { asked: 0, answered: 0 };

  constructor(pool: RdsIamPool, max: number) {
    this.#pool = pool;
    this.#max = max;
  }

  connect(): void {
    this.#track(
      this.#pool.connect().then((client) => {
        assert.ok(!this.#lent.includes(client), "A connection was lent to two");
        assert.equal(client.getTransactionStatus(), "I", "A connection was lent in a transaction");
        assert.ok(!client.connection.stream.destroyed, "A dead connection was lent");
        this.#lent.push(client);
      }),
    );
  }

  query(text: keyof typeof STATEMENTS): void {
    const code = STATEMENTS[text];
    this.#track(
      this.#pool.query(text).then(
        () => assert.equal(code, undefined),
        (error) => {
          if (code === undefined || !(error instanceof pg.DatabaseError) || error.code !== code) throw error;
        },
      ),
    );
  }

  transaction(fails: boolean): void {
    const refusal = new Error("no");
    this.#track(
      this.#pool
        .transaction(async (client) => {
          await client.query("SELECT 1");
          if (fails) throw refusal;
        })
        .catch((error) => {
          if (error !== refusal) throw error;
        }),
    );
  }

  /** One of the holders gives its connection back; returns before it has. */
  release(index: number, ending: Ending): void {
    if (this.#lent.length === 0) return;
    const [client] = this.#lent.splice(index % this.#lent.length, 1);
    assert.ok(client);
    this.#track(this.#return(client, ending));
  }

  async rest(turns: number): Promise<void> {
    for (let n = 0; n < turns; n++) await turn();
    if (this.#violation) throw this.#violation;
    assert.ok(this.#pool.totalCount <= this.#max, "There are more connections than `max`");
    assert.ok(this.#pool.idleCount <= this.#pool.totalCount);
  }

  /** Gives everything back until everyone has an answer. */
  async finish(): Promise<void> {
    while (this.#lent.length > 0 || this.outcome.answered < this.outcome.asked) {
      if (this.#violation) throw this.#violation;
      while (this.#lent.length > 0) this.release(0, "clean");
      await turn();
    }
  }

  async #return(client: pg.PoolClient, ending: Ending): Promise<void> {
    try {
      if (ending === "clean") {
        // Equal only at the first statement of a transaction: what PostgreSQL itself says of the state that the connection was lent in.
        const { rows } = await client.query("SELECT now() = statement_timestamp() AS alone");
        assert.deepEqual(rows, [{ alone: true }], "A connection was lent in a transaction, says PostgreSQL");
      } else if (ending === "in transaction") await client.query("BEGIN");
      else if (ending === "lost there") await client.query("SELECT pg_terminate_backend(pg_backend_pid())");
    } finally {
      if (ending === "at work") client.query("SELECT pg_sleep(0.002)").catch(() => {});
      if (ending === "failing") client.query("BEGIN; SELECT 1/0").catch(() => {});
      if (ending === "lost here") client.connection.stream.destroy();
      client.release(ending === "discarded");
    }
  }

  #track(work: Promise<void>): void {
    this.outcome.asked += 1;
    const answered = () => {
      this.outcome.answered += 1;
    };
    work.then(answered, (error: unknown) => {
      answered();
      if (!isExpected(error)) this.#violation ??= error;
    });
  }
}

function isExpected(error: unknown): boolean {
  if (error instanceof PoolError) return error.code === "POOL_ENDED";
  return !(error instanceof assert.AssertionError) && error instanceof Error && LOST.test(error.message);
}
