import type { Place } from "../../../local/place.ts";
import { readDeclared } from "../../../local/program/read.ts";
import type { Program } from "../../../local/program.ts";
import { only, programOf } from "../declared-program.ts";

/** Who and what an evaluated program has, by ARN where there is one. */
export interface Scene {
  readonly place: Place;
  readonly proxyRole: string;
  readonly taskRole: string;
  readonly executionRole: string;
  /** Role by which flow logs are written, and the group that they are written to. */
  readonly flowLogsRole: string;
  readonly flowLogGroup: string;
  /** Role by which RDS writes the operating system's metrics. */
  readonly monitoringRole: string;
  /** `prx-…`. */
  readonly proxyId: string;
  /** ARN of the instance behind the proxy, and its `db-…`. */
  readonly database: string;
  readonly databaseId: string;
  readonly user: string;
  readonly secret: string;
  readonly secretKey: string;
  readonly storageKey: string;
  readonly repository: string;
  readonly logGroup: string;
  /** Topic of the alarms, and its key. */
  readonly topic: string;
  readonly topicKey: string;
  /** Bucket of the load balancer's access logs, and the load balancer. */
  readonly bucket: string;
  readonly loadBalancer: string;
  /** One of the alarms, and one of the rules of events, that tell the topic. */
  readonly alarm: string;
  readonly rule: string;
  /** Where else everything could be: what is near, and must not do. */
  readonly elsewhere: { readonly partition: string; readonly region: string; readonly accountId: string };
}

/** Reads the scene of a program. */
export function sceneOf(program: Program): Scene {
  const { proxy, database, service } = readDeclared(program);
  const { arn: repository } = only(program, "Repository").outputs.repository as { readonly arn: string };
  const { partition, region } = program.place;
  const arn = (type: string, name: string) => String(only(program, type, name).outputs.arn);
  return {
    place: program.place,
    proxyRole: proxy.roleArn,
    taskRole: service.taskRoleArn,
    executionRole: service.executionRoleArn,
    flowLogsRole: arn("Role", "network-flow-logs"),
    flowLogGroup: arn("LogGroup", "network-flow"),
    monitoringRole: arn("Role", "database-monitoring"),
    proxyId: proxy.resourceId,
    database: arn("Instance", "database"),
    databaseId: String(only(program, "Instance").outputs.resourceId),
    user: database.user,
    secret: database.secretArn,
    secretKey: database.secretKeyArn,
    storageKey: arn("Key", "database-storage"),
    repository,
    logGroup: arn("LogGroup", "service"),
    topic: arn("Topic", "observability-alarms"),
    topicKey: arn("Key", "observability-alarms"),
    bucket: arn("Bucket", "load-balancer-logs"),
    loadBalancer: arn("LoadBalancer", "load-balancer"),
    alarm: arn("MetricAlarm", "observability-target-unavailable"),
    rule: arn("EventRule", "observability-rotation-failed"),
    elsewhere: {
      partition: partition === "aws" ? "aws-cn" : "aws",
      region: region.replace(/-\d$/, "-9"),
      accountId: "210987654321",
    },
  };
}

/** The ARN by which `rds-db:connect` names a database user. */
export function databaseUser({ place, proxyId }: Scene, user: string, id = proxyId): string {
  return `arn:${place.partition}:rds-db:${place.region}:${place.accountId}:dbuser:${id}/${user}`;
}

/** Both stacks, and one in each partition that has rules of its own. */
export const PROGRAMS: readonly (readonly [says: string, evaluate: () => Promise<Program>])[] = [
  ["production", () => programOf("production")],
  ["staging", () => programOf("staging")],
  ["staging in aws-cn", () => programOf("staging", { "aws:region": "cn-north-1" })],
  ["staging in aws-us-gov", () => programOf("staging", { "aws:region": "us-gov-west-1" })],
];

/** The ARN of an access log of the load balancer in its bucket, or of something else there. */
export function accessLog(
  { place, bucket }: Scene,
  path = `AWSLogs/${place.accountId}/elasticloadbalancing/x.log.gz`,
): string {
  return `${bucket}/${path}`;
}

/** The ARN of a stream of enhanced monitoring, in the group that RDS makes for it. */
export function monitoringStream({ place }: Scene, group = "RDSOSMetrics"): string {
  return `arn:${place.partition}:logs:${place.region}:${place.accountId}:log-group:${group}:log-stream:db-0123`;
}
