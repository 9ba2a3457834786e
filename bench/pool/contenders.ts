import { AuroraDSQLPool } from "@aws/aurora-dsql-node-postgres-connector";
import { Signer } from "@aws-sdk/rds-signer";
import pg from "pg";
import postgres from "postgres";
import { RdsIamPool } from "../../app/postgres/index.ts";
import type { Target } from "./messages.ts";

/** A pool under measurement, used the way its own documentation says. */
export interface Contender {
  /** One statement through the pool. */
  select(id: number): Promise<unknown>;
  /** The same, with a statement that the database refuses. */
  failingSelect(): Promise<unknown>;
  /** BEGIN, UPDATE, COMMIT; or, where it is to fail, BEGIN, a refused statement, ROLLBACK. */
  transaction(id: number, fails: boolean): Promise<unknown>;
  /** Obtains a connection and makes sure of it. */
  lend(): Promise<Lent>;
  /** A token as the pool mints it. */
  mint(): Promise<unknown>;
}

/** A connection that its borrower holds. */
export interface Lent {
  query(text: string): Promise<unknown>;
  release(): void;
}

/** Makes a contender whose pool opens at most `max` physical connections. Nothing is connected yet. */
export type MakeContender = (target: Target, max: number) => Contender;

/** What the others are compared with. */
export const BASELINE = "pg.Pool";
/** What the aims are about. */
export const SUBJECT = "RdsIamPool";

/** Every contender by the name that the tables give it; the baseline first. */
export const CONTENDERS: Readonly<Record<string, MakeContender>> = {
  [BASELINE]: plainPool,
  [SUBJECT]: rdsIamPool,
  "DSQL connector": dsqlConnector,
  "postgres.js": postgresJs,
};

const SELECT = "SELECT id, name, balance FROM accounts WHERE id = $1";
const UPDATE = "UPDATE accounts SET balance = balance + 1 WHERE id = $1";
/** Refused by the database with SQLSTATE 22012 (`division_by_zero`), and by nothing before it. */
const REFUSED = "SELECT 1 / 0";
export const REFUSED_SQLSTATE = "22012";

/** The recipe of "Connecting to a database through RDS Proxy" for node-postgres: a signer in the `password` function, TLS verified. */
function plainPool(target: Target, max: number): Contender {
  const { host, port, user, database } = target;
  const signer = signerOf(target);
  const ssl = { rejectUnauthorized: true };
  const pool = new pg.Pool({ host, port, user, database, max, ssl, password: () => signer.getAuthToken() });
  surviveLosses(pool);
  return { ...statements(pool), transaction: documentedTransaction(pool), mint: () => signer.getAuthToken() };
}

function rdsIamPool(target: Target, max: number): Contender {
  const signer = signerOf(target);
  const pool = new RdsIamPool({ ...target, max, signer });
  return { ...statements(pool), transaction: documentedTransaction(pool), mint: () => signer.getAuthToken() };
}

/**
 * The connector's pool and its transactions as they are, its signing at every check-out included. Its tokens are for another service,
 * which RDS Proxy refuses, so that the physical connections, and they alone, sign as plain `pg.Pool` does.
 */
function dsqlConnector(target: Target, max: number): Contender {
  const { host, port, user, database, region } = target;
  const signer = signerOf(target);
  class RdsClient extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, password: () => signer.getAuthToken() });
    }
  }
  const config = { host, port, user, database, region, max };
  const pool = new AuroraDSQLPool({ ...config, Client: RdsClient });
  surviveLosses(pool);
  const unconnected = new AuroraDSQLPool({ ...config, Client: Unconnected });
  return {
    ...statements(pool),
    transaction: (id, fails) =>
      pool.transaction((client) => (fails ? client.query(REFUSED) : client.query(UPDATE, [id]))),
    // It exports no signing of its own: what is left of a check-out without a connection.
    mint: async () => (await unconnected.connect()).release(),
  };
}

/** As its documentation has it, named prepared statements and pipelining included, which are its defaults. */
function postgresJs(target: Target, max: number): Contender {
  const { host, port, user, database } = target;
  const signer = signerOf(target);
  const password = () => signer.getAuthToken();
  const sql = postgres({ host, port, user, database, max, password, ssl: "verify-full", onnotice: () => {} });
  return {
    select: (id) => sql`SELECT id, name, balance FROM accounts WHERE id = ${id}`,
    failingSelect: () => sql`SELECT 1 / 0`,
    transaction: (id, fails) =>
      sql.begin((own) => (fails ? own`SELECT 1 / 0` : own`UPDATE accounts SET balance = balance + 1 WHERE id = ${id}`)),
    lend: async () => {
      const reserved = await sql.reserve();
      return { query: (text) => reserved.unsafe(text), release: () => reserved.release() };
    },
    mint: password,
  };
}

function signerOf({ host, port, user, region }: Target): Signer {
  return new Signer({ hostname: host, port, username: user, region });
}

function statements(pool: pg.Pool): Pick<Contender, "select" | "failingSelect" | "lend"> {
  return {
    select: (id) => pool.query(SELECT, [id]),
    failingSelect: () => pool.query(REFUSED),
    lend: async () => {
      const client = await pool.connect();
      return { query: (text) => client.query(text), release: () => client.release() };
    },
  };
}

/** The transaction of "Transactions", node-postgres' documentation. */
function documentedTransaction(pool: pg.Pool): Contender["transaction"] {
  return async (id, fails) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await (fails ? client.query(REFUSED) : client.query(UPDATE, [id]));
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  };
}

/** A lost connection ends a process in which nobody listens; every user of node-postgres has to add this. */
function surviveLosses(pool: pg.Pool): void {
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
}

/** A client that never opens a socket: a pool of these lends as soon as it has signed. */
class Unconnected extends pg.Client {
  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: (error: never, client: pg.Client) => void): Promise<pg.Client> | undefined {
    if (callback === undefined) return Promise.resolve(this);
    (callback as (error: null, client: pg.Client) => void)(null, this);
  }

  /** Node keeps a listener for each call on a socket that has not connected. */
  override ref(): void {}
  override unref(): void {}
}
