import type * as pulumi from "@pulumi/pulumi";
import type { MetricAlarm, Side } from "./alarm.ts";
import { databaseMetric } from "./database-alarms.ts";
import { proxyMetric } from "./proxy-alarms.ts";
import { balancerMetric, logMetric } from "./service-alarms.ts";
import type { Subject } from "./subject.ts";
import { alarmStates, type Graph, graph, graphOf, text, type Widget } from "./widgets.ts";

export interface DashboardArgs {
  readonly subject: Subject;
  readonly alarms: readonly MetricAlarm[];
  readonly alarmArns: pulumi.Input<readonly string[]>;
  /** The rule that counts rotations which ended well. */
  readonly rotationsRule: pulumi.Input<string>;
  readonly region: pulumi.Input<string>;
  /** Where the runbook is. */
  readonly runbookUrl: string;
}

const GRAPH_HEIGHT = 5;

/** The three columns, in the order of the question. */
const COLUMNS: readonly (readonly [side: Side, heading: string])[] = [
  ["database", "## Is it the database?"],
  ["proxy", "## Is it the proxy?"],
  ["service", "## Is it us?"],
];

/**
 * One page that answers "is it the database, the proxy, or us?": first what users see and where the time goes, rotations beside it,
 * then a column for each suspect, with every alarm's metric and threshold.
 */
export function dashboardBody(args: DashboardArgs): { readonly widgets: readonly Widget[] } {
  const { subject, region } = args;
  const header = [
    text(
      { x: 0, y: 0, width: 14, height: 4 },
      "# Is it the database, the proxy, or us?\n" +
        "Read the second row first. Time that **the database** takes is the database's; what **the proxy** adds is the proxy's; what " +
        "**users** wait beyond both is ours. Then go down the column. A rotation shows as a step in *rotations*: failed log-ins in " +
        `that minute are part of it, and no request fails. [Runbook](${args.runbookUrl})`,
    ),
    alarmStates({ x: 14, y: 0, width: 10, height: 4 }, "Alarms", args.alarmArns),
  ];
  const second = [users(subject), shares(subject), rotations(args)].map((wide, column) =>
    graph({ x: 8 * column, y: 4, width: 8, height: 6 }, region, wide),
  );
  const columns = COLUMNS.flatMap(([side, heading], column) => {
    const x = 8 * column;
    const graphs = [
      ...args.alarms.filter((alarm) => alarm.side === side).map(graphOf),
      ...(side === "database" ? [disk(subject)] : []),
      ...(side === "proxy" ? [clients(subject)] : []),
    ];
    return [
      text({ x, y: 10, width: 8, height: 1 }, heading),
      ...graphs.map((each, row) =>
        graph({ x, y: 11 + row * GRAPH_HEIGHT, width: 8, height: GRAPH_HEIGHT }, region, each),
      ),
    ];
  });
  return { widgets: [...header, ...second, ...columns] };
}

function users(subject: Subject): Graph {
  return {
    title: "What users see",
    unit: "a minute",
    lines: [
      { label: "requests", metric: balancerMetric(subject, "RequestCount") },
      { label: "5xx of the service", metric: balancerMetric(subject, "HTTPCode_Target_5XX_Count") },
      { label: "5xx of the load balancer", metric: balancerMetric(subject, "HTTPCode_ELB_5XX_Count") },
      { label: "p99, seconds", metric: balancerMetric(subject, "TargetResponseTime", "p99"), right: true },
    ],
  };
}

/** The proxy counts in microseconds, the load balancer in seconds. */
function shares(subject: Subject): Graph {
  return {
    title: "Where the time goes: users, the proxy with the database, the database alone",
    unit: "µs, average",
    lines: [
      { label: "users", expression: "answer * 1000000" },
      { label: "proxy and database", metric: proxyMetric(subject, "QueryResponseLatency", "Average") },
      { label: "database", metric: proxyMetric(subject, "QueryDatabaseResponseLatency", "Average") },
      { id: "answer", label: "", metric: balancerMetric(subject, "TargetResponseTime", "Average"), hidden: true },
    ],
  };
}

/**
 * `MatchedEvents` counts for a rule whether or not it has a target ("Monitoring Amazon EventBridge"). Without a trail the line is
 * empty.
 */
function rotations({ subject, rotationsRule: RuleName }: DashboardArgs): Graph {
  const matched = { namespace: "AWS/Events", name: "MatchedEvents", dimensions: { RuleName }, stat: "Sum" } as const;
  return {
    title: "Rotations, and what they leave",
    unit: "a minute",
    lines: [
      { label: "rotations", metric: matched, right: true },
      { label: "failed log-ins of the proxy", metric: proxyMetric(subject, "DatabaseConnectionsSetupFailed") },
      { label: "clients refused", metric: proxyMetric(subject, "ClientConnectionsSetupFailedAuth") },
      { label: "callers without a connection", metric: logMetric(subject) },
    ],
  };
}

function clients(subject: Subject): Graph {
  return {
    title: "Client connections",
    lines: [
      { label: "open", metric: proxyMetric(subject, "ClientConnections") },
      { label: "asked for", metric: proxyMetric(subject, "ClientConnectionsReceived") },
      { label: "let in", metric: proxyMetric(subject, "ClientConnectionsSetupSucceeded") },
    ],
  };
}

function disk(subject: Subject): Graph {
  return {
    title: "Disk",
    unit: "s",
    lines: [
      { label: "read latency", metric: databaseMetric(subject, "ReadLatency") },
      { label: "write latency", metric: databaseMetric(subject, "WriteLatency") },
      { label: "requests that wait", metric: databaseMetric(subject, "DiskQueueDepth"), right: true },
    ],
  };
}
