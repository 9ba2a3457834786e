import {
  above,
  alarming,
  atLeast,
  below,
  calm,
  FAILOVER_SECONDS,
  forMinutes,
  type Metric,
  type MetricAlarm,
  outlasting,
} from "./alarm.ts";
import { rotationWindowSeconds, type Sizes, type Subject } from "./subject.ts";

/** Share of what the proxy may open at which someone should look, in percent. */
const NEAR_LIMIT_PERCENT = 90;

/** Share of the proxy's connections that one client has for itself, in percent, from which multiplexing is lost. */
const PINNED_PERCENT = 50;

/** Longest that borrowing may take, in microseconds, however patient the borrow time-out. */
const SLOW_BORROW_MICROSECONDS = 1_000_000;

/**
 * A metric of the proxy by its name alone: clients and database together. The proxy's metrics come from several hosts, each with
 * its part, so counts are summed ("Monitoring RDS Proxy metrics with Amazon CloudWatch", Amazon RDS User Guide).
 */
export function proxyMetric({ proxyName }: Subject, name: string, stat: Metric["stat"] = "Sum"): Metric {
  return { namespace: "AWS/RDS", name, dimensions: { ProxyName: proxyName }, stat };
}

/** Alarms on what the proxy tells of itself. */
export function proxyAlarms(subject: Subject, sizes: Sizes): readonly MetricAlarm[] {
  const beyondRotation = outlasting(rotationWindowSeconds(sizes));
  const slowBorrow = Math.min(SLOW_BORROW_MICROSECONDS, sizes.timeouts.borrow * 100_000);
  return [
    {
      key: "failed-client-authentication",
      side: "proxy",
      meaning: "Clients are refused by the proxy, for longer than a rotation takes",
      unit: "refusals a minute",
      metrics: { refused: proxyMetric(subject, "ClientConnectionsSetupFailedAuth") },
      evaluation: beyondRotation,
      threshold: atLeast(1, "who is refused then has no grant, a bad token or a wrong clock: never a normal client"),
      missing: calm("the metric appears with the first refusal"),
    },
    {
      key: "failed-database-logins",
      side: "proxy",
      meaning: "The proxy cannot log in to the database, for longer than a rotation or a failover takes",
      unit: "failures a minute",
      metrics: { failed: proxyMetric(subject, "DatabaseConnectionsSetupFailed") },
      evaluation: outlasting(Math.max(rotationWindowSeconds(sizes), FAILOVER_SECONDS)),
      threshold: atLeast(1, "outside a rotation or a failover no log-in fails"),
      missing: calm("the metric appears with the first failure"),
    },
    {
      key: "borrow-latency",
      side: "proxy",
      meaning: "Clients wait for a database connection inside the proxy",
      unit: "µs, p99",
      metrics: { wait: proxyMetric(subject, "DatabaseConnectionsBorrowLatency", "p99") },
      evaluation: beyondRotation,
      threshold: above(
        slowBorrow,
        "borrowing takes a few milliseconds; a second, or a tenth of the borrow time-out, is a queue",
      ),
      missing: calm("nobody borrowed"),
    },
    {
      key: "connections-near-limit",
      side: "proxy",
      meaning: "The proxy has opened nearly as many database connections as it may",
      unit: "% of the limit",
      metrics: {
        open: proxyMetric(subject, "DatabaseConnections"),
        allowed: proxyMetric(subject, "MaxDatabaseConnectionsAllowed"),
      },
      expression: "100 * open / allowed",
      evaluation: forMinutes(15),
      threshold: above(NEAR_LIMIT_PERCENT, "a rolling deployment may come close, and is over in a quarter of an hour"),
      missing: calm("both appear with the first connection"),
    },
    {
      key: "pinned-share",
      side: "proxy",
      meaning: "Sessions are pinned: the proxy keeps a database connection for each instead of sharing it",
      unit: "% of open connections",
      metrics: {
        pinned: proxyMetric(subject, "DatabaseConnectionsCurrentlySessionPinned"),
        open: proxyMetric(subject, "DatabaseConnections"),
      },
      expression: `IF(open >= ${sizes.poolSize}, 100 * pinned / open, 0)`,
      evaluation: forMinutes(30),
      threshold: above(
        PINNED_PERCENT,
        "the service pins none but while it migrates; fewer connections than one pool's say nothing",
      ),
      missing: calm("both appear with the first connection"),
    },
    {
      key: "target-unavailable",
      side: "database",
      meaning: "The proxy cannot reach the database, for longer than a failover takes",
      unit: "% of the time",
      metrics: {
        available: {
          namespace: "AWS/RDS",
          name: "AvailabilityPercentage",
          // The only set of dimensions that has it.
          dimensions: { ProxyName: subject.proxyName, TargetGroup: subject.targetGroupName, TargetRole: "READ_WRITE" },
          stat: "Average",
        },
      },
      evaluation: outlasting(FAILOVER_SECONDS),
      threshold: below(50, "a minute that is half lost is one in which requests fail"),
      missing: alarming(
        "a proxy that says nothing of its target has none; the alarm is made after the service has connected",
      ),
    },
  ];
}
