import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { DESCRIPTION_LIMIT } from "../../../infra/observability/phrasing.ts";
import type { DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";
import { ofType, only, PROJECT, programOf, STACKS } from "../declared-program.ts";
import { alarmOf, allEventAlarms, comparedValue, metricAlarms, ruleOf, SIZES } from "./tables.ts";

interface Query {
  readonly id: string;
  readonly expression?: string;
  readonly returnData: boolean;
  readonly metric?: {
    readonly namespace: string;
    readonly metricName: string;
    readonly dimensions?: Readonly<Record<string, string>>;
    readonly stat: string;
    readonly period: number;
  };
}

/** Dimensions under which RDS Proxy reports ("Monitoring RDS Proxy metrics with Amazon CloudWatch"). */
const PROXY = ["ProxyName"];
const TARGET_ROLE = ["ProxyName", "TargetGroup", "TargetRole"];

/** Every metric that is watched, with the dimensions that AWS reports it under. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "AWS/RDS ClientConnectionsSetupFailedAuth": PROXY,
  "AWS/RDS DatabaseConnectionsSetupFailed": PROXY,
  "AWS/RDS DatabaseConnectionsBorrowLatency": PROXY,
  "AWS/RDS MaxDatabaseConnectionsAllowed": PROXY,
  "AWS/RDS DatabaseConnectionsCurrentlySessionPinned": PROXY,
  "AWS/RDS AvailabilityPercentage": TARGET_ROLE,
  "AWS/RDS CPUUtilization": ["DBInstanceIdentifier"],
  "AWS/RDS FreeableMemory": ["DBInstanceIdentifier"],
  "AWS/RDS FreeStorageSpace": ["DBInstanceIdentifier"],
  "AWS/ApplicationELB RequestCount": ["LoadBalancer"],
  "AWS/ApplicationELB HTTPCode_Target_5XX_Count": ["LoadBalancer"],
  "AWS/ApplicationELB HTTPCode_ELB_5XX_Count": ["LoadBalancer"],
  "AWS/ApplicationELB TargetResponseTime": ["LoadBalancer"],
  "ECS/ContainerInsights DesiredTaskCount": ["ClusterName", "ServiceName"],
  "ECS/ContainerInsights RunningTaskCount": ["ClusterName", "ServiceName"],
  "AWS/Events FailedInvocations": ["RuleName"],
};

/** Reported by the proxy and by the instance, under different dimensions. */
const CONNECTIONS = [PROXY, ["DBInstanceIdentifier"]];

const queriesOf = (alarm: DeclaredResource) => alarm.inputs.metricQueries as readonly Query[];

for (const stack of STACKS) {
  describe(`The alarms of stack ${stack}`, () => {
    const prefix = `${PROJECT}-${stack}-`;
    let program: Program;
    let alarms: readonly DeclaredResource[];
    before(async () => {
      program = await programOf(stack);
      alarms = ofType(program, "MetricAlarm");
    });

    it("are those of the tables, each once, named for the stack", () => {
      const names = alarms.map(({ inputs }) => String(inputs.name));
      assert.deepEqual(
        names.toSorted(),
        metricAlarms()
          .map(({ key }) => prefix + key)
          .toSorted(),
      );
      assert.equal(names.length, 15);
      assert.equal(new Set(names).size, names.length);
    });

    it("all act, on alarm and when it is over, by the one topic", () => {
      const { arn } = only(program, "Topic").outputs;
      for (const { inputs, name } of alarms) {
        assert.deepEqual([inputs.alarmActions, inputs.okActions], [[arn], [arn]], name);
        assert.notEqual(inputs.actionsEnabled, false, name);
      }
      const targets = ofType(program, "EventTarget");
      assert.deepEqual(
        targets.map(({ name, inputs }) => [name, inputs.arn]).toSorted(),
        allEventAlarms()
          .map(({ key }) => [`observability-${key}`, arn])
          .toSorted(),
      );
    });

    it("wait for the topic's policy, and those that silence sets off for the service too", () => {
      const policy = only(program, "TopicPolicy").urn;
      const service = only(program, "Service").urn;
      for (const { inputs, name, dependencies } of alarms) {
        assert.ok(dependencies.includes(policy), name);
        assert.equal(dependencies.includes(service), inputs.treatMissingData === "breaching", name);
      }
      for (const target of ofType(program, "EventTarget")) assert.ok(target.dependencies.includes(policy), target.name);
    });

    it("take silence for calm but where what should report is gone", () => {
      const alarming = alarms.filter(({ inputs }) => inputs.treatMissingData !== "notBreaching");
      assert.deepEqual(
        alarming.map(({ name, inputs }) => [name, inputs.treatMissingData]).toSorted(),
        ["target-unavailable", "tasks-missing"].map((key) => [`observability-${key}`, "breaching"]),
      );
    });

    it("say what they mean and where to read on, in as many characters as CloudWatch takes", () => {
      for (const { inputs, name } of alarms) {
        const description = String(inputs.alarmDescription);
        assert.ok(description.length <= DESCRIPTION_LIMIT, `${name}: ${description.length}`);
        assert.ok(description.endsWith(`Runbook: docs/runbook.md#${name.replace("observability-", "")}`), description);
      }
    });

    it("look at metrics that AWS reports, under dimensions that it reports them under", () => {
      const seen = new Set<string>();
      for (const { name, inputs } of alarms) {
        for (const { metric } of inputs.metricQueries as readonly Query[]) {
          if (metric === undefined) continue;
          const full = `${metric.namespace} ${metric.metricName}`;
          const dimensions = Object.keys(metric.dimensions ?? {}).sort();
          seen.add(full);
          if (metric.namespace === `${PROJECT}-${stack}`) assert.deepEqual(dimensions, [], name);
          else if (full === "AWS/RDS DatabaseConnections")
            assert.ok(CONNECTIONS.some((c) => `${c}` === `${dimensions}`));
          else assert.deepEqual(dimensions, KNOWN[full], `${name}: ${full}`);
        }
      }
      // Besides the known: connections of both kinds under one name, and the log's own metric.
      assert.equal(seen.size, Object.keys(KNOWN).length + 2);
    });

    it("name the resources that the stack declares", () => {
      const declared = new Map<string, readonly unknown[]>([
        ["ProxyName", [only(program, "Proxy").outputs.name]],
        ["TargetGroup", ["default"]],
        ["TargetRole", ["READ_WRITE"]],
        ["DBInstanceIdentifier", [only(program, "Instance").outputs.identifier]],
        ["LoadBalancer", [only(program, "LoadBalancer").outputs.arnSuffix]],
        ["ClusterName", [only(program, "Cluster").outputs.name]],
        ["ServiceName", [only(program, "Service").outputs.name]],
        ["RuleName", ofType(program, "EventRule").map(({ outputs }) => outputs.name)],
      ]);
      for (const alarm of alarms) {
        for (const [dimension, value] of queriesOf(alarm).flatMap(({ metric }) =>
          Object.entries(metric?.dimensions ?? {}),
        )) {
          assert.ok(declared.get(dimension)?.includes(value), `${alarm.name}: ${dimension} ${value}`);
        }
      }
    });

    it("compare exactly one value, of metrics that share a period", () => {
      for (const alarm of alarms) {
        const queries = queriesOf(alarm);
        assert.equal(queries.filter(({ returnData }) => returnData).length, 1, alarm.name);
        const periods = new Set(queries.flatMap(({ metric }) => (metric ? [metric.period] : [])));
        assert.equal(periods.size, 1, alarm.name);
        // "The number of evaluation periods multiplied by the period cannot exceed one day."
        assert.ok(Number(alarm.inputs.evaluationPeriods) * Number([...periods][0]) <= 86_400);
        assert.ok(Number(alarm.inputs.datapointsToAlarm) <= Number(alarm.inputs.evaluationPeriods));
        assert.ok(queries.every(({ id }) => /^[a-z][A-Za-z0-9_]*$/.test(id)));
      }
    });

    it("count the lines of the service's log that the pool writes for a caller without a connection", () => {
      const { inputs } = only(program, "LogMetricFilter");
      assert.deepEqual(inputs, {
        logGroupName: only(program, "LogGroup", "service").outputs.name,
        pattern: '{ $.logger = "db-auth" && $.level = "error" }',
        metricTransformation: {
          namespace: `${PROJECT}-${stack}`,
          name: "DatabaseAuthenticationErrors",
          value: "1",
          defaultValue: "0",
          unit: "Count",
        },
      });
    });

    it("can count tasks, since the cluster reports them", () => {
      assert.deepEqual(only(program, "Cluster").inputs.settings, [{ name: "containerInsights", value: "enabled" }]);
    });
  });
}

/** What one period's metrics come to, and whether that breaches. */
const PERIODS: readonly (readonly [
  key: string,
  given: Readonly<Record<string, number>>,
  value: number | null,
  breaches: boolean,
])[] = [
  ["connections-near-limit", { open: 216, allowed: 240 }, 90, false],
  ["connections-near-limit", { open: 217, allowed: 240 }, 90.41666666666667, true],
  ["connections-near-limit", { open: 217 }, null, false],
  ["pinned-share", { pinned: 9, open: 9 }, 0, false],
  ["pinned-share", { pinned: 5, open: 10 }, 50, false],
  ["pinned-share", { pinned: 6, open: 10 }, 60, true],
  ["server-errors", { requests: 100, service: 1 }, 1, false],
  ["server-errors", { requests: 100, service: 2 }, 2, true],
  ["server-errors", { requests: 19, service: 19 }, 0, false],
  ["server-errors", { balancer: 20 }, 100, true],
  ["server-errors", { requests: 20 }, 0, false],
  ["tasks-missing", { desired: 2, running: 2 }, 0, false],
  ["tasks-missing", { desired: 2, running: 1 }, 1, true],
  ["tasks-missing", { desired: 2 }, null, false],
  ["events-undelivered", { second: 1 }, 1, true],
  ["events-undelivered", {}, null, false],
  ["failed-database-logins", { failed: 1 }, 1, true],
  ["failed-database-logins", {}, null, false],
  ["database-memory", { free: 256 * 2 ** 20 }, 256 * 2 ** 20, false],
  ["database-memory", { free: 256 * 2 ** 20 - 1 }, 256 * 2 ** 20 - 1, true],
];

describe("What an alarm compares", () => {
  for (const [key, given, expected, breaching] of PERIODS) {
    it(`is ${expected} for ${key} with ${JSON.stringify(given)}, which is ${breaching ? "too much" : "well"}`, () => {
      const alarm = alarmOf(key);
      const value = comparedValue(alarm, given);
      assert.equal(value, expected);
      assert.equal(value !== null && ruleOf(alarm).breaches(value), breaching);
    });
  }

  it("follows the sizes of the stack", () => {
    const sizes = {
      ...SIZES,
      maxConnections: 1_000,
      storageGiB: 100,
      poolSize: 4,
      timeouts: { connectRetry: 60, borrow: 5 },
    };
    assert.equal(alarmOf("database-connections", sizes).threshold.value, 850);
    assert.equal(alarmOf("database-storage", sizes).threshold.value, 8 * 2 ** 30);
    assert.equal(alarmOf("borrow-latency", sizes).threshold.value, 500_000);
    assert.equal(alarmOf("borrow-latency").threshold.value, 1_000_000);
    assert.equal(comparedValue(alarmOf("pinned-share", sizes), { pinned: 4, open: 4 }), 100);
  });

  it("has its reasons told, for the threshold and for missing data", () => {
    for (const { key, meaning, threshold, missing } of metricAlarms()) {
      for (const words of [meaning, threshold.because, missing.because])
        assert.ok(words.length > 10 && !words.endsWith("."), key);
    }
  });
});
