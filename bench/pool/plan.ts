/** How much is measured; every time in milliseconds. */
export interface Plan {
  readonly rounds: number;
  /** Length of each load that is measured, after an unmeasured lead. */
  readonly loadMs: number;
  readonly leadMs: number;
  /** Load before anything is measured, for each contender and kind of work: what Node compiles late would be measured otherwise. */
  readonly warmUpMs: number;
  /** Load before every connection is dropped, which says what full throughput is. */
  readonly beforeDropMs: number;
  /** How long the recovery is watched. */
  readonly afterDropMs: number;
  /** Tokens minted after the first. */
  readonly mints: number;
  /** Idle connections whose memory is measured. */
  readonly idleConnections: number;
  /** No round is begun that would end later, the first excepted; undefined for no limit. */
  readonly limitMs: number | undefined;
}

/** Physical connections of each pool under load: the default of node-postgres and of postgres.js. */
export const POOL_SIZE = 10;

/** Callers that each wait for one answer before they ask again; 50 share the ten connections. */
export const CALLERS = [1, 10, 50] as const;

/** Every tenth statement fails where any does. */
export const FAILING_SHARE = 0.1;

/** What callers do: one statement through the pool, or BEGIN, UPDATE and COMMIT on one connection. */
export const WORKS = ["select", "transaction"] as const;
export type Work = (typeof WORKS)[number];

/** One load on one pool. */
export interface Load {
  readonly work: Work;
  readonly callers: number;
  readonly failing: boolean;
}

/** Every load, in the order in which each round measures them. */
export const LOADS: readonly Load[] = [false, true].flatMap((failing) =>
  WORKS.flatMap((work) => CALLERS.map((callers) => ({ work, callers, failing }))),
);

/** A load in words, such as "select, 10 callers, 10 % failing". */
export function describeLoad({ work, callers, failing }: Load): string {
  const share = failing ? `, ${FAILING_SHARE * 100} % failing` : "";
  return `${work}, ${callers} ${callers === 1 ? "caller" : "callers"}${share}`;
}

const FULL_LIMIT_MS = 290_000;
const QUICK_LIMIT_MS = 36_000;

/** What a caller of the benchmark chose; undefined leaves the default. */
export interface Choice {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  /** Length of each measured load. */
  readonly seconds: number | undefined;
}

/** The plan for a choice. The limit holds only where the number of rounds was not chosen. */
export function planOf({ quick, rounds, seconds }: Choice): Plan {
  const loadMs = Math.round((seconds ?? (quick ? 0.1 : 0.45)) * 1_000);
  return {
    rounds: rounds ?? (quick ? 2 : 5),
    loadMs,
    leadMs: Math.round(loadMs / 5),
    warmUpMs: quick ? 300 : 3_000,
    beforeDropMs: quick ? 200 : 400,
    afterDropMs: quick ? 1_100 : 1_300,
    mints: quick ? 200 : 1_000,
    idleConnections: 50,
    limitMs: rounds === undefined ? (quick ? QUICK_LIMIT_MS : FULL_LIMIT_MS) : undefined,
  };
}
