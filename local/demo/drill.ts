import { setTimeout as delay } from "node:timers/promises";
import type { RotateOptions, Rotation } from "../control-plane.ts";
import type { Load } from "../load.ts";
import { AFTERMATH_MS } from "./options.ts";

export interface DrillOptions {
  readonly load: Pick<Load, "burst">;
  readonly rotate: (options: RotateOptions) => Promise<Rotation>;
  readonly rotations: number;
  /** Length of the load. */
  readonly seconds: number;
  readonly windowMs: number;
  /** Requests that are sent at once, on top of the load, whenever the concurrency steps up. */
  readonly burst: number;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
}

/** When the concurrency steps up inside a window, as shares of it. */
const STEPS_IN_WINDOW = [0.1, 0.5, 0.9] as const;

/**
 * Rotates the credential near the end of each of `rotations` equal parts of the load. In each window, and right after it, more
 * requests come at once than the pool has idle connections: it must open new ones, which is what a rotation breaks. A rotation that
 * nobody has to log in during proves nothing.
 */
export async function rotateUnderLoad(options: DrillOptions): Promise<readonly Rotation[]> {
  const { load, burst, rotations, windowMs, signal, log } = options;
  const partMs = (options.seconds * 1_000) / rotations;
  const done: Rotation[] = [];
  const startedAt = performance.now();
  for (let index = 0; index < rotations; index++) {
    const due = startedAt + partMs * (index + 1) - AFTERMATH_MS - windowMs;
    await delay(Math.max(0, due - performance.now()), undefined, { signal });
    log(
      `rotation ${index + 1} of ${rotations}: the database has the new password, the secret has it in ${windowMs} ms`,
    );
    const steps = STEPS_IN_WINDOW.map((share) =>
      delay(windowMs * share, undefined, { signal }).then(() => load.burst(burst)),
    );
    const [rotation] = await Promise.all([options.rotate({ windowMs }), ...steps]);
    load.burst(burst);
    done.push(rotation);
  }
  return done;
}
