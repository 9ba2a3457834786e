import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { instanceArn } from "./database/monitoring.ts";
import type { Database } from "./database.ts";
import type { Account } from "./iam.ts";
import type { LoadBalancer } from "./load-balancer.ts";
import type { EventAlarm, MetricAlarm } from "./observability/alarm.ts";
import { dashboardBody } from "./observability/dashboard.ts";
import { databaseAlarms } from "./observability/database-alarms.ts";
import { subscribeToDatabaseEvents } from "./observability/database-events.ts";
import { deliveryAlarm } from "./observability/delivery-alarm.ts";
import { eventAlarms, eventPattern, rotationsSucceeded } from "./observability/events.ts";
import { eventMessage, metricDescription, metricQueries } from "./observability/phrasing.ts";
import { proxyAlarms } from "./observability/proxy-alarms.ts";
import { serviceAlarms } from "./observability/service-alarms.ts";
import { LOG_METRIC, LOG_PATTERN, type Sizes, type Subject } from "./observability/subject.ts";
import { createTopic, type TopicArgs } from "./observability/topic.ts";
import { alarmArnOf } from "./observability/topic-policies.ts";
import type { DatabaseProxy } from "./proxy.ts";
import type { Service } from "./service.ts";

export interface ObservabilityArgs {
  /** Name of the stack in the account, such as `project-production`: names of alarms, topic, dashboard and metrics begin with it. */
  readonly prefix: string;
  readonly database: Pick<Database, "instanceIdentifier" | "authentication">;
  readonly proxy: Pick<DatabaseProxy, "proxyName" | "targetGroupName">;
  readonly service: Service;
  readonly loadBalancer: Pick<LoadBalancer, "arnSuffix">;
  readonly sizes: Sizes;
  /** Log of the service, as JSON lines. */
  readonly logGroupName: pulumi.Input<string>;
  readonly alarms: {
    /** Who is told by e-mail, after confirming; undefined leaves subscriptions to others. */
    readonly email: string | undefined;
    /** Where docs/runbook.md can be read: the beginning of every link to a section of it. */
    readonly runbookUrl: string;
  };
  readonly account: pulumi.Output<Account>;
}

/**
 * Who is woken, by what, and where they look: alarms and rules from tables, one topic under a key of its own that all of them act
 * on, and one dashboard. Every alarm has a section in docs/runbook.md.
 */
export class Observability extends pulumi.ComponentResource {
  readonly topicArn: pulumi.Output<string>;
  readonly dashboardName: pulumi.Output<string>;
  readonly #name: string;
  readonly #args: ObservabilityArgs;

  constructor(name: string, args: ObservabilityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:Observability", name, {}, opts);
    this.#name = name;
    this.#args = args;
    const subject = subjectOf(args);
    this.#countLogErrors();
    const rules = eventAlarms(subject).map(
      (alarm) => [alarm, this.#createRule(alarm.key, alarm.meaning, alarm.event)] as const,
    );
    const delivery = deliveryAlarm(Object.fromEntries(rules.map(([{ key }, rule]) => [metricId(key), rule.name])));
    const alarms = [
      ...proxyAlarms(subject, args.sizes),
      ...serviceAlarms(subject, args.sizes),
      ...databaseAlarms(subject, args.sizes),
      delivery,
    ];
    const alarmArns = args.account.apply((account) =>
      alarms.map(({ key }) => alarmArnOf(this.#alarmName(key), account)),
    );
    const [topic, ready] = createTopic(
      name,
      { ...this.#topicArgs(alarmArns), ruleArns: rules.map(([, rule]) => rule.arn) },
      this,
    );
    subscribeToDatabaseEvents(
      `${name}-database`,
      { instanceIdentifier: args.database.instanceIdentifier, topicArn: topic.arn },
      { parent: this, dependsOn: [...ready] },
    );
    for (const alarm of alarms) this.#createAlarm(alarm, topic, ready);
    for (const [alarm, rule] of rules) this.#tell(alarm, rule, topic, ready);
    const rotations = this.#createRule(
      "rotations",
      "Rotations that ended well, counted for the dashboard",
      rotationsSucceeded(subject),
    );
    const body = { subject, alarms, alarmArns, rotationsRule: rotations.name, region: args.account.region };
    const dashboard = new aws.cloudwatch.Dashboard(
      name,
      {
        dashboardName: args.prefix,
        dashboardBody: pulumi.jsonStringify(dashboardBody({ ...body, runbookUrl: args.alarms.runbookUrl })),
      },
      { parent: this },
    );
    this.topicArn = topic.arn;
    this.dashboardName = dashboard.dashboardName;
    this.registerOutputs({ topicArn: this.topicArn, dashboardName: this.dashboardName });
  }

  #topicArgs(alarmArns: pulumi.Output<string[]>): Omit<TopicArgs, "ruleArns"> {
    const { prefix, database, alarms, account } = this.#args;
    const instance = pulumi.all([database.instanceIdentifier, account]).apply((known) => instanceArn(...known));
    return { prefix, alarmArns, instanceArn: instance, email: alarms.email, account };
  }

  #alarmName(key: string): string {
    return `${this.#args.prefix}-${key}`;
  }

  #countLogErrors(): void {
    new aws.cloudwatch.LogMetricFilter(
      this.#name,
      {
        logGroupName: this.#args.logGroupName,
        pattern: LOG_PATTERN,
        // Zero for every other line: silence of the metric is silence of the service.
        metricTransformation: {
          namespace: this.#args.prefix,
          name: LOG_METRIC,
          value: "1",
          defaultValue: "0",
          unit: "Count",
        },
      },
      { parent: this },
    );
  }

  #createAlarm(alarm: MetricAlarm, topic: aws.sns.Topic, ready: readonly pulumi.Resource[]): void {
    const { evaluation, threshold, missing } = alarm;
    new aws.cloudwatch.MetricAlarm(
      `${this.#name}-${alarm.key}`,
      {
        name: this.#alarmName(alarm.key),
        alarmDescription: metricDescription(alarm, this.#args.alarms.runbookUrl),
        metricQueries: metricQueries(alarm),
        comparisonOperator: threshold.comparison,
        threshold: threshold.value,
        evaluationPeriods: evaluation.evaluationPeriods,
        datapointsToAlarm: evaluation.datapoints,
        treatMissingData: missing.treat,
        alarmActions: [topic.arn],
        okActions: [topic.arn],
      },
      // An alarm that silence sets off would tell of every first deployment.
      { parent: this, dependsOn: [...ready, ...(missing.treat === "breaching" ? [this.#args.service] : [])] },
    );
  }

  #createRule(key: string, description: string, event: EventAlarm["event"]): aws.cloudwatch.EventRule {
    return new aws.cloudwatch.EventRule(
      `${this.#name}-${key}`,
      {
        description: event.needsTrail ? `${description} (needs a CloudTrail trail)` : description,
        eventPattern: pulumi.jsonStringify(eventPattern(event)),
      },
      { parent: this },
    );
  }

  #tell(
    alarm: EventAlarm,
    rule: aws.cloudwatch.EventRule,
    topic: aws.sns.Topic,
    ready: readonly pulumi.Resource[],
  ): void {
    new aws.cloudwatch.EventTarget(
      `${this.#name}-${alarm.key}`,
      {
        rule: rule.name,
        arn: topic.arn,
        inputTransformer: eventMessage(alarm, this.#args.prefix, this.#args.alarms.runbookUrl),
      },
      { parent: this, dependsOn: [...ready] },
    );
  }
}

function subjectOf({ prefix, database, proxy, service, loadBalancer }: ObservabilityArgs): Subject {
  return {
    proxyName: proxy.proxyName,
    targetGroupName: proxy.targetGroupName,
    databaseIdentifier: database.instanceIdentifier,
    secretArn: database.authentication.secretArn,
    clusterName: service.clusterName,
    serviceName: service.serviceName,
    serviceArn: service.arn,
    loadBalancerSuffix: loadBalancer.arnSuffix,
    logNamespace: prefix,
  };
}

/** An id as metric math takes them: no hyphens. */
function metricId(key: string): string {
  return key.replaceAll("-", "_");
}
