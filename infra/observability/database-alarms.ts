import { above, below, calm, forMinutes, type Metric, type MetricAlarm } from "./alarm.ts";
import type { Sizes, Subject } from "./subject.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/**
 * Free storage, as a share of what was allocated, that RDS lets no storage fall below for five minutes while it may still grow: it
 * grows at a tenth ("Managing capacity automatically with Amazon RDS storage autoscaling").
 */
const FREE_STORAGE_SHARE = 0.08;

/** Below this PostgreSQL's next few connections and sorts go to swap: a connection takes about 10 MiB. */
const FREE_MEMORY_MIB = 256;

/** Share of `max_connections`. The proxy may hold at most 70 %, so beyond this half of the head-room is someone else's. */
const CONNECTIONS_SHARE = 0.85;

/** A metric of the database instance. */
export function databaseMetric(
  { databaseIdentifier }: Subject,
  name: string,
  stat: Metric["stat"] = "Average",
): Metric {
  return { namespace: "AWS/RDS", name, dimensions: { DBInstanceIdentifier: databaseIdentifier }, stat };
}

/** Alarms on the database's own resources. */
export function databaseAlarms(subject: Subject, sizes: Sizes): readonly MetricAlarm[] {
  const missing = calm("a database that is gone is told of by target-unavailable; RDS leaves gaps while it restarts");
  return [
    {
      key: "database-cpu",
      side: "database",
      meaning: "The database's processor is busy",
      unit: "%",
      metrics: { busy: databaseMetric(subject, "CPUUtilization") },
      evaluation: forMinutes(15),
      threshold: above(90, "a vacuum or a migration may take all of it for minutes; a quarter of an hour is load"),
      missing,
    },
    {
      key: "database-memory",
      side: "database",
      meaning: "The database runs out of memory",
      unit: "bytes",
      metrics: { free: databaseMetric(subject, "FreeableMemory", "Minimum") },
      evaluation: forMinutes(15),
      threshold: below(FREE_MEMORY_MIB * MIB, "25 more connections' worth; what comes next is swap, then a restart"),
      missing,
    },
    {
      key: "database-storage",
      side: "database",
      meaning: "The database runs out of storage, and RDS has not enlarged it",
      unit: "bytes",
      metrics: { free: databaseMetric(subject, "FreeStorageSpace", "Minimum") },
      evaluation: forMinutes(30),
      threshold: below(
        Math.floor(sizes.storageGiB * FREE_STORAGE_SHARE * GIB),
        "8 % of the allocation: RDS enlarges at 10 %, unless it did so in the last six hours or has reached its limit",
      ),
      missing,
    },
    {
      key: "database-connections",
      side: "database",
      meaning: "The database's connections run out, and not by the proxy alone",
      unit: "connections",
      metrics: { open: databaseMetric(subject, "DatabaseConnections", "Maximum") },
      evaluation: forMinutes(5),
      threshold: above(
        Math.floor(sizes.maxConnections * CONNECTIONS_SHARE),
        "85 % of max_connections: the proxy may have 70 % at most, the rest is for administration and migration",
      ),
      missing,
    },
  ];
}
