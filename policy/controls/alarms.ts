import { type Control, every, unless, wrong } from "../control.ts";
import { parseDocument, type Statement } from "../iam/document.ts";
import { isHeldBy } from "../iam/match.ts";
import type { Resource } from "../stack.ts";

const TOPIC = "aws:sns/topic:Topic";
const DAYS = { production: 365, staging: 1 } as const;

/** That alarms reach someone, and that what happened can be read afterwards. */
export const ALARM_CONTROLS: readonly Control[] = [
  {
    id: "alarms-act",
    title: "Every alarm tells a topic of the stack when it fires",
    sources: [
      "CloudWatch.15",
      "CloudWatch.17",
      "CKV_AWS_319",
      "cloudwatch_alarm_actions_enabled",
      "cloudwatch_alarm_actions_alarm_state_configured",
    ],
    severity: "high",
    selects: every("aws:cloudwatch/metricAlarm:MetricAlarm"),
    check: ({ fields }, stack) => {
      const actions = fields.texts("alarmActions");
      const strangers = actions.filter((action) => stack.find(TOPIC, "arn", action) === undefined);
      return [
        ...unless(fields.value("actionsEnabled") !== false, "actionsEnabled", false, "true"),
        ...unless(actions.length > 0, "alarmActions", actions, "a topic"),
        ...unless(strangers.length === 0, "alarmActions that are no topic of this stack", strangers, "none"),
      ];
    },
  },
  {
    id: "events-reach-topics",
    title: "Every event target is a topic of the stack, and every topic that is published to has a policy",
    sources: ['"Event bus targets in Amazon EventBridge"'],
    severity: "high",
    selects: every("aws:cloudwatch/eventTarget:EventTarget"),
    check: ({ fields }, stack) => {
      const arn = fields.text("arn");
      if (stack.find(TOPIC, "arn", arn) === undefined) return [wrong("arn", arn, "a topic of this stack")];
      const policy = stack.find("aws:sns/topicPolicy:TopicPolicy", "arn", arn);
      return unless(policy !== undefined, "the policy of its topic", undefined, "one that admits events.amazonaws.com");
    },
  },
  {
    id: "topics-private",
    title: "Only this account's alarms, rules and subscriptions publish to a topic",
    sources: ["SNS.4", "CKV_AWS_169", "sns_topics_not_publicly_accessible"],
    severity: "high",
    selects: every("aws:sns/topicPolicy:TopicPolicy"),
    check: (policy) =>
      statementsOf(policy)
        .filter(({ effect }) => effect === "Allow")
        .flatMap(openings),
  },
  {
    id: "topics-require-tls",
    title: "Nobody publishes to a topic without TLS",
    sources: ["AwsSolutions-SNS3"],
    severity: "medium",
    selects: every("aws:sns/topicPolicy:TopicPolicy"),
    check: (policy) => {
      const denied = statementsOf(policy).some(
        ({ effect, principals, actions, conditions }) =>
          effect === "Deny" &&
          principals.some(({ value }) => value === "*") &&
          actions.includes("sns:Publish") &&
          conditions.some(({ key, values }) => /^aws:SecureTransport$/i.test(key) && values.includes("false")),
      );
      return denied ? [] : [wrong("a statement that denies sns:Publish without TLS", undefined, "one for everyone")];
    },
  },
  {
    id: "logs-retained",
    title: "Log groups keep events for 365 days or more",
    sources: [
      "CloudWatch.16",
      "CKV_AWS_66",
      "CKV_AWS_338",
      "cloudwatch_log_group_retention_policy_specific_days_enabled",
    ],
    severity: "medium",
    staging: "any retention",
    selects: every("aws:cloudwatch/logGroup:LogGroup"),
    check: ({ fields }, { tier }) => {
      const days = fields.number("retentionInDays") ?? 0;
      return unless(days >= DAYS[tier], "retentionInDays", days, `${DAYS[tier]} or more`);
    },
  },
];

function statementsOf({ name, fields }: Resource): readonly Statement[] {
  return parseDocument(fields.text("policy") ?? "", `the policy ${name}`);
}

function openings(statement: Statement): readonly string[] {
  const { sid, principals, exceptPrincipals } = statement;
  const others = principals.filter(({ type }) => type !== "Service").map(({ type, value }) => `${type} ${value}`);
  const allowed = "services of AWS, each held to aws:SourceAccount or aws:SourceArn";
  if (isHeldBy(statement, /^aws:Source(?:Account|Arn)$/i) && !exceptPrincipals && others.length === 0) return [];
  return [
    wrong(
      `who publishes by statement ${sid}`,
      others.length > 0 ? others : principals.map(({ value }) => value),
      allowed,
    ),
  ];
}
