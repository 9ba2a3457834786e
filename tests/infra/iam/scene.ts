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
  /** `prx-…`. */
  readonly proxyId: string;
  /** `db-…` of the instance behind the proxy. */
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
    proxyId: proxy.resourceId,
    databaseId: String(only(program, "Instance").outputs.resourceId),
    user: database.user,
    secret: database.secretArn,
    secretKey: database.secretKeyArn,
    storageKey: arn("Key", "database-storage"),
    repository,
    logGroup: arn("LogGroup", "service"),
    topic: arn("Topic", "observability-alarms"),
    topicKey: arn("Key", "observability-alarms"),
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
