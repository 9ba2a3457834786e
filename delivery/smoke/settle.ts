/** When a wait asks again and when it gives up, in milliseconds. */
export interface Patience {
  readonly everyMs: number;
  readonly limitMs: number;
}

/** Time, of which tests have their own. */
export interface Clock {
  now(): number;
  wait(ms: number): Promise<void>;
}

/**
 * Asks until nothing speaks against any more, and returns what still does at the end of its patience.
 *
 * @param ask says what speaks against; its own error ends the wait
 */
export async function settle(
  ask: () => Promise<readonly string[]>,
  { everyMs, limitMs }: Patience,
  clock: Clock,
): Promise<readonly string[]> {
  const end = clock.now() + limitMs;
  for (;;) {
    const objections = await ask();
    if (objections.length === 0 || clock.now() + everyMs > end) return objections;
    await clock.wait(everyMs);
  }
}
