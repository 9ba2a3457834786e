import type { FaultRequest, Faults } from "../faults.ts";

/**
 * What comes between rotations with `--faults`, one after the other: each is over before the next window, and none is meant to cost a
 * request that was not under way.
 */
export const DISTURBANCES: readonly FaultRequest[] = [
  { fault: "drop-every-connection" },
  { fault: "revoke-grant", durationMs: 400 },
  { fault: "restart-proxy", downMs: 300 },
  { fault: "throttle-IAM", durationMs: 400 },
  { fault: "restart-database", downMs: 200 },
  { fault: "stop-secret-access", durationMs: 400 },
  { fault: "failover", seconds: 0.4 },
  { fault: "slow-credentials", durationMs: 400, ms: 200 },
  { fault: "refuse-connections", durationMs: 400 },
  { fault: "latency", durationMs: 400, ms: 20 },
];

/** Starts the disturbance whose turn it is after so many rotations, and waits for its end. */
export async function disturb(faults: Faults, rotation: number): Promise<void> {
  const request = DISTURBANCES[(rotation - 1) % DISTURBANCES.length];
  if (request === undefined) return;
  const { id } = await faults.start(request);
  await faults.ended(id);
}
