import { type Channel, channel } from "node:diagnostics_channel";
import type { PoolTelemetry } from "./telemetry.ts";

/** What every message says. Times in messages are in milliseconds. */
interface FromPool {
  /** The pool's `name`. */
  readonly pool: string;
}

/** A token was minted, or could not be. */
export interface MintMessage extends FromPool {
  readonly tookMs: number;
  /** Code of the failure, such as `MINT_TIMEOUT`; undefined when there is a token. The token itself is in no message. */
  readonly code: string | undefined;
}

/** An attempt to establish a physical connection ended, its mint included. */
export interface EstablishmentMessage extends FromPool {
  readonly tookMs: number;
  /** Its name in the table of errors of establishment, such as `ROTATION_WINDOW`; undefined when the connection stands. */
  readonly reason: string | undefined;
}

/** An attempt failed, and another follows. */
export interface RetryMessage extends FromPool {
  /** Why the one before failed. */
  readonly reason: string;
}

/** A caller was given a connection, or turned away. */
export interface AcquireMessage extends FromPool {
  /** From the call on: queue, mints, attempts and pauses together. */
  readonly waitedMs: number;
  /** `CONNECT_FAILED` or `ACQUIRE_TIMEOUT`; undefined when there is a connection. */
  readonly code: string | undefined;
}

/** A connection came back. */
export interface ReleaseMessage extends FromPool {
  readonly usedMs: number;
}

/** The message of each channel. Subscribe with `subscribe` of `node:diagnostics_channel`. */
export interface ChannelMessages {
  readonly "rds-iam-pool:mint": MintMessage;
  readonly "rds-iam-pool:establishment": EstablishmentMessage;
  readonly "rds-iam-pool:retry": RetryMessage;
  readonly "rds-iam-pool:acquire": AcquireMessage;
  readonly "rds-iam-pool:release": ReleaseMessage;
}

const named = <Name extends keyof ChannelMessages>(name: Name): Channel<unknown, ChannelMessages[Name]> =>
  channel(name) as Channel<unknown, ChannelMessages[Name]>;

const MINT = named("rds-iam-pool:mint");
const ESTABLISHMENT = named("rds-iam-pool:establishment");
const RETRY = named("rds-iam-pool:retry");
const ACQUIRE = named("rds-iam-pool:acquire");
const RELEASE = named("rds-iam-pool:release");

/**
 * Publishes what a pool does to whoever subscribes, for debugging: nothing is made, and nothing called, while nobody does. Subscribers run
 * within the pool's own work, so they should be quick; one that throws does not disturb the pool, but ends the process as any uncaught error.
 *
 * @param pool its name
 */
export function channelTelemetry(pool: string): PoolTelemetry {
  return {
    minted(tookMs) {
      if (MINT.hasSubscribers) MINT.publish({ pool, tookMs, code: undefined });
    },
    mintFailed(tookMs, code) {
      if (MINT.hasSubscribers) MINT.publish({ pool, tookMs, code });
    },
    established(tookMs) {
      if (ESTABLISHMENT.hasSubscribers) ESTABLISHMENT.publish({ pool, tookMs, reason: undefined });
    },
    establishmentFailed(tookMs, reason, retried) {
      if (ESTABLISHMENT.hasSubscribers) ESTABLISHMENT.publish({ pool, tookMs, reason });
      if (retried && RETRY.hasSubscribers) RETRY.publish({ pool, reason });
    },
    acquired(waitedMs) {
      if (ACQUIRE.hasSubscribers) ACQUIRE.publish({ pool, waitedMs, code: undefined });
    },
    acquireFailed(waitedMs, code) {
      if (ACQUIRE.hasSubscribers) ACQUIRE.publish({ pool, waitedMs, code });
    },
    returned(usedMs) {
      if (RELEASE.hasSubscribers) RELEASE.publish({ pool, usedMs });
    },
  };
}
