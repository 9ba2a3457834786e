import type { RdsIamPoolOptions } from "../../app/postgres/index.ts";
import type { Stage } from "./stage.ts";
import type { Belief } from "./told.ts";

/**
 * What becomes of the connections that stand when the fault strikes: they `stand`, they `end` (a FIN, a RST or a FATAL error tells the
 * client), or they fall `silent`.
 */
export type Fate = "stand" | "end" | "silent";

/**
 * Ends the fault, or waits until it has ended by itself; then nothing of it is left. Resolves with the moment, in milliseconds since
 * 1970, before which no caller that it keeps waiting can have been served.
 */
export type End = () => Promise<number>;

/** One row of the matrix: a fault, and what becomes of the connections. */
export interface Row {
  /** Stands for it in requests, and in what the database calls its connections. */
  readonly id: string;
  /** Heading of its fault in the document. */
  readonly fault: string;
  readonly fate: Fate;
  readonly begin: (stage: Stage) => Promise<End>;
  /** Whether part of a result has arrived when it strikes. */
  readonly reading?: true;
  /** Whether it is over as soon as it has begun. */
  readonly isMomentary?: true;
  /** Whether it ends by itself; otherwise it ends once every caller was told, or is kept waiting by two failed attempts. */
  readonly endsByItself?: true;
  /** Why attempts to connect may fail or not, as the machine is fast or slow. */
  readonly mayFail?: readonly string[];
  /** Bound of the time from its end until every pool has served again, in milliseconds. */
  readonly servesWithinMs: number;
  /** Limits of the pools that differ from the usual. */
  readonly options?: Partial<RdsIamPoolOptions>;
}

/** What became of what one caller asked. */
export interface Answered {
  readonly what: string;
  /** What the caller was told. */
  readonly told: string;
  readonly belief: Belief;
  /** Whether that was while the fault was in effect. */
  readonly during: boolean;
  /** How often each of its writes was begun and is stored. */
  readonly writes: readonly { readonly begun: number; readonly stored: number }[];
}

/** One cell: what a situation came to. */
export interface Cell {
  readonly situation: string;
  readonly answers: readonly Answered[];
  /** Why attempts to connect failed while the fault was in effect, in alphabetical order. */
  readonly reasons: readonly string[];
  /** From the end of the fault until the pool had answered everyone and another statement; milliseconds. */
  readonly servedAfterMs: number;
  /** What is left that should not be. */
  readonly left: readonly string[];
}

/** What came of a row. */
export interface RowResult {
  readonly id: string;
  readonly cells: readonly Cell[];
}
