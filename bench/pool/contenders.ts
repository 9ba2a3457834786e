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

/** SQLSTATE of the statements that are to fail: `division_by_zero` comes from the database, and from nothing before it. */
export const REFUSED_SQLSTATE = "22012";

/** What the others are compared with. */
export const BASELINE = "pg.Pool";
/** What the aims are about. */
export const SUBJECT = "RdsIamPool";

/** Each contender by the name that the tables give it, the baseline first. A process loads its own only: the others' modules would be weighed too. */
export const CONTENDERS: Readonly<Record<string, () => Promise<MakeContender>>> = {
  [BASELINE]: async () => (await import("./contenders/plain-pool.ts")).plainPool,
  [SUBJECT]: async () => (await import("./contenders/rds-iam-pool.ts")).rdsIamPool,
  "DSQL connector": async () => (await import("./contenders/dsql-connector.ts")).dsqlConnector,
  "postgres.js": async () => (await import("./contenders/postgres-js.ts")).postgresJs,
};
