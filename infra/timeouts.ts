/**
 * Every time limit of the stack, in seconds, in one place, because they only work nested: a limit that waits for another must
 * outlast it, or its owner gives up first and the user sees a 502 or 504 instead of an answer.
 */
export interface Timeouts {
  /** Budget for retrying the establishment of a connection. */
  readonly connectRetry: number;
  /** The proxy's wait for a free database connection (`ConnectionBorrowTimeout`). */
  readonly borrow: number;
  /** Longest that the service works on one request. */
  readonly requestDeadline: number;
  /** The load balancer's idle time-out. */
  readonly loadBalancerIdle: number;
  /** Keep-alive time-out of the service's HTTP server. */
  readonly keepAlive: number;
  /** Longest life of a physical connection. */
  readonly connectionLifetime: number;
  /** The proxy's idle client time-out. */
  readonly proxyIdleClient: number;
  /** Time for running requests after SIGTERM. */
  readonly drain: number;
  /** From SIGTERM to SIGKILL. */
  readonly stop: number;
  /** Time for the migration container. */
  readonly migrationDeadline: number;
}

/** Fargate's limit of both `stopTimeout` and the `startTimeout` of a dependency ("Task definition parameters", ECS). */
export const FARGATE_CONTAINER_LIMIT = 120;

/** One "must be below" of the nesting. */
interface Nesting {
  readonly inner: string;
  readonly seconds: (t: Timeouts) => number;
  readonly outer: string;
  readonly limit: (t: Timeouts) => number;
  readonly why: string;
}

const NESTING: readonly Nesting[] = [
  {
    inner: "connectRetrySeconds + borrowTimeoutSeconds",
    seconds: (t) => t.connectRetry + t.borrow,
    outer: "requestDeadlineSeconds",
    limit: (t) => t.requestDeadline,
    why: "a request that waits for a connection must end with the service's own answer",
  },
  {
    inner: "requestDeadlineSeconds",
    seconds: (t) => t.requestDeadline,
    outer: "loadBalancerIdleSeconds",
    limit: (t) => t.loadBalancerIdle,
    why: "else the load balancer answers 504 for a service that still works",
  },
  {
    inner: "loadBalancerIdleSeconds",
    seconds: (t) => t.loadBalancerIdle,
    outer: "keepAliveSeconds",
    limit: (t) => t.keepAlive,
    why: "else the service closes a connection that the load balancer is about to use, and the user sees 502",
  },
  {
    inner: "connectionLifetimeSeconds",
    seconds: (t) => t.connectionLifetime,
    outer: "proxyIdleClientSeconds",
    limit: (t) => t.proxyIdleClient,
    why: "else the proxy closes a connection that the pool still lends",
  },
  {
    inner: "requestDeadlineSeconds",
    seconds: (t) => t.requestDeadline,
    outer: "drainSeconds",
    limit: (t) => t.drain,
    why: "a request that runs when SIGTERM arrives keeps its whole deadline",
  },
  {
    inner: "drainSeconds",
    seconds: (t) => t.drain,
    outer: "stopTimeoutSeconds",
    limit: (t) => t.stop,
    why: "else ECS kills the task before it has finished",
  },
  {
    inner: "migrationDeadlineSeconds",
    seconds: (t) => t.migrationDeadline,
    outer: "the 120 s that Fargate gives a dependency to start",
    limit: () => FARGATE_CONTAINER_LIMIT,
    why: "the migration says itself that it is late, before ECS gives up on it",
  },
];

/** Every place where the time-outs do not nest, in words; empty when all is well. */
export function nestingMistakes(timeouts: Timeouts): readonly string[] {
  return NESTING.filter((n) => !(n.seconds(timeouts) < n.limit(timeouts))).map(
    (n) => `${n.inner} (${n.seconds(timeouts)} s) must be below ${n.outer} (${n.limit(timeouts)} s): ${n.why}`,
  );
}
