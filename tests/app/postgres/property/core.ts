import pg from "pg";
import { Reporter, silentLog } from "../../../../app/postgres/event-log.ts";
import { EstablishmentGate } from "../../../../app/postgres/gate.ts";
import { Lending } from "../../../../app/postgres/lending.ts";
import { limitsOf } from "../../../../app/postgres/options.ts";
import type { PoolTelemetry } from "../../../../app/postgres/telemetry.ts";
import { type Began, ScriptedClient } from "./scripted-client.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What differs from run to run. */
export interface Setting {
  readonly max: number;
  readonly maxEstablishing: number;
  readonly connectRetryMillis: number;
  readonly maxUses: number | undefined;
  /** What the source of jitter draws, every time. */
  readonly draw: number;
  /** Whether something is awaited between establishment and loan. */
  readonly hooked: boolean;
  /** How long a server takes to answer, unless a step says otherwise. */
  readonly latencyMs: number;
}

export const LIMITS = { connectionTimeoutMillis: 6_000, idleCheckMillis: 2_000, idleTimeoutMillis: 5_000 };
/** Longest life of a connection, in milliseconds. */
export const LIFETIME_MS = 7_000;
/** A connection that has come back this lately is waited for, if it still rolls back, in milliseconds. */
export const SOON_MS = 100;
/** What comes back, and what is asked whether it lives, has this long to answer, in milliseconds. */
export const LOOK_MS = 2_000;
const IDENTITY = { host: "proxy", user: "app", region: "eu-west-2" };

/** Told first of what became of an idle connection that was taken, or of an establishment. */
export type Told = (error: Error | undefined, client: ScriptedClient | undefined) => void;

/** The real pg-pool, whose clients are scripted. */
export function createPool({ hooked, latencyMs, max, maxUses }: Setting, began: Began): pg.Pool {
  const Client = class extends ScriptedClient {
    constructor() {
      super(began);
      this.latencyMs = latencyMs;
    }
  };
  const pool = new pg.Pool({
    Client: Client as unknown as typeof pg.Client,
    max,
    idleTimeoutMillis: LIMITS.idleTimeoutMillis,
    maxLifetimeSeconds: LIFETIME_MS / 1_000,
    ...(hooked ? { onConnect: async () => {} } : {}),
    ...(maxUses === undefined ? {} : { maxUses }),
  });
  return pool.on("error", () => {});
}

/** The core that is under test, over it. */
export function createLending(
  { max, maxEstablishing, connectRetryMillis, draw }: Setting,
  pool: pg.Pool,
  time: VirtualTime,
  surroundings: { readonly telemetry: PoolTelemetry; readonly signal: AbortSignal; readonly told: Told },
): Lending {
  const clock = time.clock();
  return new Lending({
    connections: {
      get idleCount() {
        return pool.idleCount;
      },
      get totalCount() {
        return pool.totalCount;
      },
      take: (taken) =>
        pool.connect((error, client) => {
          surroundings.told(error, client as unknown as ScriptedClient | undefined);
          taken(error, client);
        }),
    },
    limits: limitsOf({ ...IDENTITY, database: "app", ...LIMITS, max, maxEstablishing, connectRetryMillis }),
    identity: IDENTITY,
    gate: new EstablishmentGate(maxEstablishing, clock, () => draw),
    clock,
    reporter: new Reporter(silentLog, IDENTITY),
    ...surroundings,
  });
}
