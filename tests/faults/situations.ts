import { Socket } from "node:net";
import type pg from "pg";
import type { RdsIamPool, TransactionClient } from "../../app/postgres/index.ts";
import { eventually } from "../local/eventually.ts";
import type { Ledger } from "./ledger.ts";

/** How long a situation may take to come about, in milliseconds. */
const LIMIT_MS = 10_000;

/** One thing that a caller asked of the pool, and the writes that are done if it is done. */
export interface Asked {
  readonly what: string;
  readonly writes: readonly number[];
  readonly answer: Promise<unknown>;
}

/** What a situation is made of. */
export interface Scene {
  readonly pool: RdsIamPool;
  readonly ledger: Ledger;
  /** Whether part of a result has arrived when the fault strikes. */
  readonly reading: boolean;
}

/** A situation that has come about. */
export interface Met {
  /** What was asked before the fault. */
  readonly asked: readonly Asked[];
  /** What holds the database back; undefined when nothing does. */
  readonly gate?: number;
  /** Whether the client has seen that its connections are gone, where the fault ends them. */
  sawLoss(): boolean;
  /** Goes on while the fault is in effect; what is asked now. */
  strike(): readonly Asked[];
}

/** Where a caller is when a fault strikes. */
export interface Situation {
  readonly name: string;
  /** In a sentence, for the reader of the table. */
  readonly meaning: string;
  /** Physical connections of its pool. */
  readonly max: number;
  come(scene: Scene): Promise<Met>;
}

const WAITERS = 3;

/** Two thousand rows of a hundred characters; the last waits at the gate, when those before are with the client. */
const READ = `SELECT repeat('x', 100), CASE n WHEN 1 THEN write($1::int) WHEN 2000 THEN pass_gate($2) END
  FROM generate_series(1, 2000) n`;
/** Far less than all, far more than what a connection says otherwise. */
const PART_OF_RESULT_BYTES = 50_000;

export const SITUATIONS: readonly Situation[] = [
  {
    name: "idle pool",
    meaning: "two connections are idle; a statement is asked for while the fault is in effect",
    max: 2,
    async come({ pool, ledger, reading }) {
      await open(pool, 2);
      const [id = 0, read = 0] = await ledger.ids(2);
      const write = (): Asked => ({ what: "statement", writes: [id], answer: pool.query("SELECT write($1)", [id]) });
      const busy = reading ? await beginRead(pool, ledger, read) : undefined;
      return {
        asked: busy ? [busy.asked] : [],
        ...(busy && { gate: busy.gate }),
        sawLoss: () => pool.idleCount === 0 && pool.totalCount === 0,
        strike: () => [write()],
      };
    },
  },
  {
    name: "queued waiters",
    meaning: `the only connection is lent, and ${WAITERS} statements wait for it; it is released while the fault is in effect`,
    max: 1,
    async come({ pool, ledger, reading }) {
      const ids = await ledger.ids(WAITERS + 1);
      await open(pool, 1);
      const busy = reading ? await beginRead(pool, ledger, ids[WAITERS] ?? 0) : undefined;
      const holder = busy ? undefined : await pool.connect();
      const waiters = ids.slice(0, WAITERS).map((id) => ({
        what: "waiter",
        writes: [id],
        answer: pool.query("SELECT write($1)", [id]),
      }));
      await eventually("all wait", LIMIT_MS, () => pool.waitingCount === WAITERS);
      return {
        asked: [...(busy ? [busy.asked] : []), ...waiters],
        ...(busy && { gate: busy.gate }),
        sawLoss: () => holder === undefined || isGone(holder),
        strike: () => {
          holder?.release();
          return [];
        },
      };
    },
  },
  {
    name: "query in flight",
    meaning: "a statement runs, and the database has not answered it",
    max: 1,
    async come({ pool, ledger, reading }) {
      const [id = 0] = await ledger.ids(1);
      await open(pool, 1);
      const { asked, gate } = reading ? await beginRead(pool, ledger, id) : await beginWrite(pool, ledger, id);
      return { asked: [asked], gate, sawLoss: () => true, strike: () => [] };
    },
  },
  {
    name: "transaction in flight",
    meaning: "a transaction has written; it writes again and commits while the fault is in effect",
    max: 1,
    async come({ pool, ledger, reading }) {
      const [first = 0, second = 0] = await ledger.ids(2);
      await open(pool, 1);
      const gate = reading ? await ledger.gate() : undefined;
      const struck = Promise.withResolvers<void>();
      let client: TransactionClient | undefined;
      const answer = pool.transaction(async (lent) => {
        await lent.query("SELECT write($1)", [first]);
        client = lent;
        if (gate === undefined) await struck.promise;
        await lent.query(
          gate === undefined ? "SELECT write($1)" : READ,
          gate === undefined ? [second] : [second, gate],
        );
      });
      answer.catch(() => {});
      await eventually("the transaction has written", LIMIT_MS, () => client !== undefined);
      if (gate !== undefined) await partArrived(client as TransactionClient, ledger, gate);
      return {
        asked: [{ what: "transaction", writes: [first, second], answer }],
        ...(gate !== undefined && { gate }),
        sawLoss: () => gate !== undefined || client === undefined || isGone(client),
        strike: () => {
          struck.resolve();
          return [];
        },
      };
    },
  },
  {
    name: "COMMIT in flight",
    meaning: "COMMIT was sent, and the database is at work on it",
    max: 1,
    async come({ pool, ledger, reading }) {
      const [id = 0] = await ledger.ids(1);
      const gate = await ledger.gate();
      await open(pool, 1);
      let noticed = false;
      const answer = pool.transaction(async (client) => {
        client.once("notice", () => {
          noticed = true;
        });
        await client.query("SELECT write_late($1, $2)", [id, gate]);
      });
      answer.catch(() => {});
      await atGate(ledger, gate);
      if (reading) await eventually("part of COMMIT's answer has arrived", LIMIT_MS, () => noticed);
      return {
        asked: [{ what: "transaction", writes: [id], answer }],
        gate,
        sawLoss: () => true,
        strike: () => [],
      };
    },
  },
];

/** Lets the pool have so many idle connections. */
async function open(pool: RdsIamPool, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.release();
}

async function beginWrite(pool: RdsIamPool, ledger: Ledger, id: number): Promise<{ asked: Asked; gate: number }> {
  const gate = await ledger.gate();
  const answer = pool.query("SELECT write($1, $2)", [id, gate]);
  answer.catch(() => {});
  await atGate(ledger, gate);
  return { asked: { what: "statement", writes: [id], answer }, gate };
}

/** A statement whose result has begun to arrive. */
async function beginRead(pool: RdsIamPool, ledger: Ledger, id: number): Promise<{ asked: Asked; gate: number }> {
  const gate = await ledger.gate();
  const lent = Promise.withResolvers<pg.PoolClient>();
  pool.once("acquire", (client) => lent.resolve(client));
  const answer = pool.query(READ, [id, gate]);
  answer.catch(() => {});
  await partArrived(await lent.promise, ledger, gate);
  return { asked: { what: "read", writes: [id], answer }, gate };
}

async function atGate(ledger: Ledger, gate: number): Promise<void> {
  await eventually("the database waits at the gate", LIMIT_MS, async () => (await ledger.waitingAt(gate)) === 1);
}

async function partArrived(client: TransactionClient, ledger: Ledger, gate: number): Promise<void> {
  const { stream } = client.connection;
  await atGate(ledger, gate);
  const bytes = () => (stream instanceof Socket ? stream.bytesRead : 0);
  await eventually("part of the result has arrived", LIMIT_MS, () => bytes() > PART_OF_RESULT_BYTES);
}

/** Whether the client knows that the connection is gone. */
function isGone(client: TransactionClient): boolean {
  return client.connection.stream.destroyed;
}
