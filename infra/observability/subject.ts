import type * as pulumi from "@pulumi/pulumi";
import type { Timeouts } from "../timeouts.ts";
import { ROTATION_WINDOW_SECONDS } from "./alarm.ts";

/** What is watched: the names that metrics and events go by. */
export interface Subject {
  readonly proxyName: pulumi.Input<string>;
  readonly targetGroupName: pulumi.Input<string>;
  readonly databaseIdentifier: pulumi.Input<string>;
  readonly secretArn: pulumi.Input<string>;
  readonly clusterName: pulumi.Input<string>;
  readonly serviceName: pulumi.Input<string>;
  readonly serviceArn: pulumi.Input<string>;
  /** `app/…/…`, by which CloudWatch knows a load balancer. */
  readonly loadBalancerSuffix: pulumi.Input<string>;
  /** Namespace of the metrics that are made from the service's log; the stack's own. */
  readonly logNamespace: string;
}

/** Sizes of the stack that thresholds are drawn from. */
export interface Sizes {
  readonly timeouts: Pick<Timeouts, "connectRetry" | "borrow">;
  /** Physical connections of one task. */
  readonly poolSize: number;
  /** `max_connections` of the database. */
  readonly maxConnections: number;
  /** Storage that was allocated, in GiB. */
  readonly storageGiB: number;
}

/** The longest rotation window that the service rides out, and so the longest that no alarm may tell of, in seconds. */
export function rotationWindowSeconds({ timeouts }: Sizes): number {
  return Math.max(ROTATION_WINDOW_SECONDS, timeouts.connectRetry);
}

/** Metric of the service's log: lines of the logger `db-auth` at level error. */
export const LOG_METRIC = "DatabaseAuthenticationErrors";

/**
 * Lines of which each is a caller who got no connection. The pool logs a retry at level info, so a rotation that is ridden out
 * makes none ("Filter and pattern syntax", Amazon CloudWatch Logs User Guide).
 */
export const LOG_PATTERN = '{ $.logger = "db-auth" && $.level = "error" }';
