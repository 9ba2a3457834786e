/** What the pool tells of itself, as it happens; see `docs/pool.md`. Times are in milliseconds. */
export interface PoolTelemetry {
  minted(tookMs: number): void;
  /** @param code of the error: one of the pool's own, as no token is in those */
  mintFailed(tookMs: number, code: string): void;
  /** A physical connection stands, the mint included. */
  established(tookMs: number): void;
  /**
   * @param reason its name in the table of errors of establishment, such as `ROTATION_WINDOW`
   * @param retried whether another attempt follows
   */
  establishmentFailed(tookMs: number, reason: string, retried: boolean): void;
  /** A caller was given a connection after having waited. */
  acquired(waitedMs: number): void;
  /** A caller was turned away. */
  acquireFailed(waitedMs: number, code: string): void;
  /** A connection came back. */
  returned(usedMs: number): void;
}

/** Tells two listeners. Not a list of them: this runs for every statement. */
export function tellBoth(one: PoolTelemetry, other: PoolTelemetry): PoolTelemetry {
  return {
    minted(tookMs) {
      one.minted(tookMs);
      other.minted(tookMs);
    },
    mintFailed(tookMs, code) {
      one.mintFailed(tookMs, code);
      other.mintFailed(tookMs, code);
    },
    established(tookMs) {
      one.established(tookMs);
      other.established(tookMs);
    },
    establishmentFailed(tookMs, reason, retried) {
      one.establishmentFailed(tookMs, reason, retried);
      other.establishmentFailed(tookMs, reason, retried);
    },
    acquired(waitedMs) {
      one.acquired(waitedMs);
      other.acquired(waitedMs);
    },
    acquireFailed(waitedMs, code) {
      one.acquireFailed(waitedMs, code);
      other.acquireFailed(waitedMs, code);
    },
    returned(usedMs) {
      one.returned(usedMs);
      other.returned(usedMs);
    },
  };
}
