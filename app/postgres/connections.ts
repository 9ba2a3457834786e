import type { Obtained } from "./waiting-line.ts";

/** The connections themselves, as `pg.Pool` keeps them: it gives an idle one, or else makes one. */
export interface Connections {
  readonly idleCount: number;
  /** Those that stand and those that are being established. */
  readonly totalCount: number;
  take(taken: Obtained): void;
}
