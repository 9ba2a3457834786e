import { FARGATE_CONTAINER_LIMIT, nestingMistakes, type Timeouts } from "../timeouts.ts";
import { between, type ConfigReader } from "./reader.ts";

/** Reads the time limits and refuses those that do not nest. */
export function readTimeouts(read: ConfigReader): Timeouts {
  const timeouts: Timeouts = {
    connectRetry: read.integer("connectRetrySeconds", between(1, 600)),
    borrow: read.integer("borrowTimeoutSeconds", between(1, 3_600)),
    requestDeadline: read.integer("requestDeadlineSeconds", between(1, 3_600)),
    loadBalancerIdle: read.integer("loadBalancerIdleSeconds", between(1, 4_000)),
    keepAlive: read.integer("keepAliveSeconds", between(1, 4_000)),
    connectionLifetime: read.integer("connectionLifetimeSeconds", between(1, 86_400)),
    proxyIdleClient: read.integer("proxyIdleClientSeconds", between(60, 28_800)),
    drain: read.integer("drainSeconds", between(1, FARGATE_CONTAINER_LIMIT)),
    stop: read.integer("stopTimeoutSeconds", between(2, FARGATE_CONTAINER_LIMIT)),
    migrationDeadline: read.integer("migrationDeadlineSeconds", between(1, FARGATE_CONTAINER_LIMIT)),
  };
  // Comparisons with NaN are mistakes that were told already, as the keys that could not be read.
  if (Object.values(timeouts).every(Number.isInteger)) {
    for (const mistake of nestingMistakes(timeouts)) read.conflict(mistake);
  }
  return timeouts;
}
