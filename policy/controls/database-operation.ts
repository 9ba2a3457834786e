import { type Control, every, unless, wrong } from "../control.ts";
import { isOwnKey } from "../own-keys.ts";
import { label, type Resource, type Stack } from "../stack.ts";
import { INSTANCE } from "./database.ts";

/** Logs of RDS for PostgreSQL that can be exported ("Publishing database logs to Amazon CloudWatch Logs"). */
const LOGS = ["postgresql", "upgrade"];

/** What someone must know of an instance ("RDS.20" of the Security Hub controls for Amazon RDS). */
const CRITICAL_EVENTS = ["maintenance", "configuration change", "failure"];

/** Seconds between the records of enhanced monitoring that RDS knows ("Setting up and enabling Enhanced Monitoring"). */
const MONITORING_INTERVALS = [1, 5, 10, 15, 30, 60];

/** What can be seen of the database, who is told, and how its password is kept. */
export const DATABASE_OPERATION_CONTROLS: readonly Control[] = [
  {
    id: "database-logs-exported",
    title: "The database exports its logs to log groups that the stack declares",
    sources: ["RDS.9", "RDS.36", "CKV_AWS_129", "rds_instance_integration_cloudwatch_logs"],
    severity: "medium",
    selects: every(INSTANCE),
    check: logsExported,
  },
  {
    id: "database-enhanced-monitoring",
    title: "Enhanced monitoring shows what the database's host does",
    sources: ["RDS.6", "CKV_AWS_118", "rds_instance_enhanced_monitoring_enabled"],
    severity: "low",
    selects: every(INSTANCE),
    check: ({ fields }) => {
      const interval = fields.number("monitoringInterval") ?? 0;
      const known = MONITORING_INTERVALS.includes(interval);
      return [
        ...unless(known, "monitoringInterval", interval, MONITORING_INTERVALS.join(", ")),
        ...unless(fields.has("monitoringRoleArn"), "monitoringRoleArn", undefined, "the role that writes the records"),
      ];
    },
  },
  {
    id: "database-insights",
    title: "Database Insights shows what the database waits for, under a key of its own",
    sources: ["CKV_AWS_353", "CKV_AWS_354", "AVD-AWS-0133", "AVD-AWS-0078"],
    severity: "low",
    selects: every(INSTANCE),
    check: ({ fields }, stack) => {
      const key = fields.text("performanceInsightsKmsKeyId");
      const enabled = fields.isTrue("performanceInsightsEnabled");
      const mode = fields.text("databaseInsightsMode");
      return [
        ...unless(enabled, "performanceInsightsEnabled", fields.value("performanceInsightsEnabled"), "true"),
        ...unless(mode === "standard" || mode === "advanced", "databaseInsightsMode", mode, "standard, advanced"),
        ...unless(isOwnKey(stack, key), "performanceInsightsKmsKeyId", key, "a key of this stack"),
      ];
    },
  },
  {
    id: "database-events-told",
    title: "Someone is told of failures, maintenance and changes of the database",
    sources: ["RDS.20", "rds_instance_critical_event_subscription"],
    severity: "low",
    selects: every(INSTANCE),
    check: eventsTold,
  },
  {
    id: "database-secret-managed",
    title: "RDS makes and rotates the master password, in a secret under a key of its own",
    sources: ["SecretsManager.1", "AwsSolutions-SMG4", "secretsmanager_automatic_rotation_enabled"],
    severity: "critical",
    selects: every(INSTANCE),
    check: ({ fields }, stack) => {
      const managed = fields.isTrue("manageMasterUserPassword");
      const key = fields.text("masterUserSecretKmsKeyId");
      return [
        ...unless(managed, "manageMasterUserPassword", fields.value("manageMasterUserPassword"), "true"),
        ...unless(isOwnKey(stack, key), "masterUserSecretKmsKeyId", key, "a key of this stack"),
      ];
    },
  },
];

function logsExported({ fields }: Resource, stack: Stack): readonly string[] {
  const exported = fields.texts("enabledCloudwatchLogsExports");
  const missing = LOGS.filter((log) => !exported.includes(log));
  const undeclared = exported
    .map((log) => `/aws/rds/instance/${fields.text("identifier")}/${log}`)
    .filter((name) => stack.find("aws:cloudwatch/logGroup:LogGroup", "name", name) === undefined);
  return [
    ...unless(missing.length === 0, "logs that are not exported", missing, "none"),
    ...undeclared.map((name) => `no log group ${name} is declared: AWS makes it, and keeps events for ever`),
  ];
}

function eventsTold({ fields }: Resource, stack: Stack): readonly string[] {
  const identifier = fields.text("identifier") ?? "";
  const subscriptions = stack.ofType("aws:rds/eventSubscription:EventSubscription").filter((subscription) => {
    const sources = subscription.fields.texts("sourceIds");
    const type = subscription.fields.text("sourceType");
    // Without a type it hears of everything; without ids of everything of the type.
    return (type ?? "db-instance") === "db-instance" && (sources.length === 0 || sources.includes(identifier));
  });
  if (subscriptions.length === 0) return ["no event subscription names it; allowed: one for db-instance, to a topic"];
  const enabled = subscriptions.filter((subscription) => subscription.fields.value("enabled") !== false);
  const categories = enabled.flatMap((subscription) => subscription.fields.texts("eventCategories"));
  const all = enabled.some((subscription) => subscription.fields.texts("eventCategories").length === 0);
  const untold = all ? [] : CRITICAL_EVENTS.filter((event) => !categories.includes(event));
  const topics = enabled.filter(
    (subscription) => stack.find("aws:sns/topic:Topic", "arn", subscription.fields.text("snsTopic")) === undefined,
  );
  return [
    ...unless(enabled.length > 0, "event subscriptions of it that are enabled", 0, "one or more"),
    ...(enabled.length > 0 ? unless(untold.length === 0, "events that nobody is told of", untold, "none") : []),
    ...topics.map((subscription) =>
      wrong(`snsTopic of ${label(subscription)}`, subscription.fields.text("snsTopic"), "a topic of this stack"),
    ),
  ];
}
