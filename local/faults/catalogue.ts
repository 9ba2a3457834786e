import { once, type Undo } from "../proxy/fault-points.ts";
import { longestWindowMs } from "../secret.ts";
import type { Surroundings } from "./surroundings.ts";

/** A number that a fault takes. */
export interface Parameter {
  readonly unit: "ms" | "s";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly meaning: string;
}

/** One kind of fault. */
export interface FaultDefinition {
  /** What it stands for on AWS. */
  readonly standsFor: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** How long it lasts, in milliseconds, with these parameters. */
  readonly lastsMs: (parameters: Readonly<Record<string, number>>) => number;
  /** Whether it is over as soon as it has begun. */
  readonly isInstant?: true;
  /** Brings it into effect; what comes back ends it. */
  readonly start: (surroundings: Surroundings, parameters: Readonly<Record<string, number>>) => Promise<Undo> | Undo;
}

/** Longest time that any fault lasts: an hour. */
const LONGEST_MS = 3_600_000;

const DURATION: Parameter = { unit: "ms", default: 10_000, min: 1, max: LONGEST_MS, meaning: "how long it lasts" };
const DOWN: Parameter = {
  unit: "ms",
  default: 0,
  min: 0,
  max: 60_000,
  meaning: "time between the end and the new start",
};

/** A parameter by its name; that it is there was seen to when the request was read. */
const read = (parameters: Readonly<Record<string, number>>, name: string): number => parameters[name] ?? 0;

const lasting = (
  standsFor: string,
  start: FaultDefinition["start"],
  parameters: Readonly<Record<string, Parameter>> = {},
): FaultDefinition => ({
  standsFor,
  parameters: { durationMs: DURATION, ...parameters },
  lastsMs: ({ durationMs = DURATION.default }) => durationMs,
  start,
});

const restarting = (standsFor: string, start: FaultDefinition["start"]): FaultDefinition => ({
  standsFor,
  parameters: { downMs: DOWN },
  lastsMs: ({ downMs = DOWN.default }) => downMs,
  start,
});

/** Every fault that there is, by its name. */
export const FAULTS = {
  "refuse-connections": lasting("the proxy's endpoint answers no new connection: its port is closed", ({ proxy }) =>
    proxy.refuseConnections(),
  ),
  "black-hole": lasting(
    "packets between the service and the proxy are lost: nothing is refused or closed",
    ({ proxy }) => proxy.silence(),
  ),
  latency: lasting(
    "a slow network between the service and the proxy",
    ({ proxy }, parameters) => proxy.delayTraffic(read(parameters, "ms")),
    { ms: { unit: "ms", default: 100, min: 1, max: 30_000, meaning: "delay in each direction" } },
  ),
  "drop-every-connection": {
    standsFor: "the proxy resets every connection of its clients, at once and once",
    parameters: {},
    lastsMs: () => 0,
    isInstant: true,
    start: ({ proxy }) => {
      proxy.resetClients();
      return async () => {};
    },
  },
  "restart-database": restarting("a reboot of the instance without failover", ({ database }, parameters) => {
    const restarted = database.restart({ downMs: read(parameters, "downMs") });
    // A failure is told when the fault ends.
    restarted.catch(() => {});
    return () => restarted;
  }),
  "restart-proxy": restarting("the proxy's host is replaced: port closed, every connection gone", async ({ proxy }) =>
    proxy.goDown(),
  ),
  failover: {
    standsFor: "a Multi-AZ failover: every connection to the database dies, and none can be made for as long",
    parameters: {
      seconds: { unit: "s", default: 60, min: 0.1, max: LONGEST_MS / 1_000, meaning: "how long it lasts" },
    },
    lastsMs: ({ seconds = 0 }) => seconds * 1_000,
    start: async ({ proxy, database }) => {
      const { processIds, undo } = proxy.cutDatabase();
      try {
        // With the old primary goes what it was at, locks included.
        await database.terminate(processIds);
        return undo;
      } catch (error) {
        await undo();
        throw error;
      }
    },
  },
  "expire-credentials": lasting(
    "the task's credentials expire, and the agent of ECS goes on handing out the expired ones",
    ({ credentials }) => credentials.expireCredentials(),
  ),
  "slow-credentials": lasting(
    "the agent of ECS answers late",
    ({ credentials }, parameters) => credentials.delayAnswers(read(parameters, "ms")),
    { ms: { unit: "ms", default: 2_000, min: 1, max: 600_000, meaning: "delay of each answer" } },
  ),
  "throttle-credentials": lasting("the agent of ECS refuses a task that asks too often: 429", ({ credentials }) =>
    credentials.throttleAnswers(),
  ),
  "throttle-IAM": lasting("more IAM connections a second than RDS Proxy takes", ({ proxy }) => proxy.throttleIam()),
  "revoke-grant": lasting("the task role loses `rds-db:connect`, or the grant has not propagated yet", ({ proxy }) =>
    proxy.revokeGrant(),
  ),
  "stop-secret-access": lasting("the proxy's role may not read the secret, or not decrypt it", ({ proxy }) =>
    proxy.stopSecretAccess(),
  ),
  "replace-CA": lasting(
    "the proxy presents a certificate for the right name from an authority that clients do not know",
    async ({ proxy, issueForeignCertificate }) => proxy.presentCertificate(await issueForeignCertificate()),
  ),
  "clock-skew": lasting(
    "the clocks of the service and of AWS disagree when a token is judged",
    ({ proxy }, parameters) => proxy.skewClock(read(parameters, "seconds") * 1_000),
    {
      seconds: {
        unit: "s",
        default: 1_200,
        min: -86_400,
        max: 86_400,
        meaning: "AWS's clock ahead of the service's; negative: behind",
      },
    },
  ),
  "widen-rotation-window": lasting(
    "rotations take longer: the window of those that name none",
    ({ secret }, parameters) => once(secret.widenWindow(read(parameters, "windowMs"))),
    {
      windowMs: { unit: "ms", default: 10_000, min: 0, max: longestWindowMs, meaning: "window of each rotation" },
    },
  ),
} as const satisfies Readonly<Record<string, FaultDefinition>>;

/** Names a fault. */
export type FaultName = keyof typeof FAULTS;

/** Every name, in the order of the catalogue. */
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

/** The definition under a name, seen without what is particular to it. */
export const definitionOf = (name: FaultName): FaultDefinition => FAULTS[name];
