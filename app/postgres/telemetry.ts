/** What the pool tells of itself, as it happens; see `docs/pool.md`. Times are in milliseconds. */
export interface PoolTelemetry {
  minted(tookMs: number): void;
  mintFailed(tookMs: number, code: string): void;
  /** A physical connection stands, the mint included. */
  established(tookMs: number): void;
  /** @param retried whether another attempt follows */
  establishmentFailed(tookMs: number, reason: string, retried: boolean): void;
  /** A caller was given a connection after having waited. */
  acquired(waitedMs: number): void;
  /** A caller was turned away. */
  acquireFailed(waitedMs: number, code: string): void;
  /** A connection came back. */
  returned(usedMs: number): void;
}

export const silentTelemetry: PoolTelemetry = {
  minted() {},
  mintFailed() {},
  established() {},
  establishmentFailed() {},
  acquired() {},
  acquireFailed() {},
  returned() {},
};
