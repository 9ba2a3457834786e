import { databaseUser, type Scene } from "./scene.ts";
import type { Possibilities } from "./sweep.ts";

/** AWS answers it to everyone: "GetCallerIdentity", no permissions are required. */
const WHO_AM_I: Possibilities = { "sts:GetCallerIdentity": ["*"] };

/** All that each role of the program can do, by the role's logical name. A role that is missing here must not exist. */
export const POSSIBLE: Readonly<Record<string, (scene: Scene) => Possibilities>> = {
  // What AWS gives it by a policy of its own, in every region and account: no more than logs of RDS.
  "database-monitoring": ({ place: { partition } }) => ({
    "logs:CreateLogGroup": [`arn:${partition}:logs:*:*:log-group:RDS*`],
    "logs:CreateLogStream": [`arn:${partition}:logs:*:*:log-group:RDS*:log-stream:*`],
    "logs:DescribeLogStreams": [`arn:${partition}:logs:*:*:log-group:RDS*:log-stream:*`],
    "logs:GetLogEvents": [`arn:${partition}:logs:*:*:log-group:RDS*:log-stream:*`],
    "logs:PutLogEvents": [`arn:${partition}:logs:*:*:log-group:RDS*:log-stream:*`],
    "logs:PutRetentionPolicy": [`arn:${partition}:logs:*:*:log-group:RDS*`],
    ...WHO_AM_I,
  }),
  "network-flow-logs": ({ flowLogGroup }) => ({
    "logs:CreateLogStream": [`${flowLogGroup}:*`],
    "logs:DescribeLogStreams": [`${flowLogGroup}:*`],
    "logs:PutLogEvents": [`${flowLogGroup}:*`],
    ...WHO_AM_I,
  }),
  proxy: (scene) => ({
    "kms:Decrypt": [scene.secretKey],
    "secretsmanager:GetSecretValue": [scene.secret],
    ...WHO_AM_I,
  }),
  "service-execution": (scene) => ({
    "ecr:BatchCheckLayerAvailability": [scene.repository],
    "ecr:BatchGetImage": [scene.repository],
    "ecr:GetAuthorizationToken": ["*"],
    "ecr:GetDownloadUrlForLayer": [scene.repository],
    "logs:CreateLogStream": [`${scene.logGroup}:*`],
    "logs:PutLogEvents": [`${scene.logGroup}:*`],
    ...WHO_AM_I,
  }),
  "service-task": (scene) => ({
    "rds-db:connect": [databaseUser(scene, scene.user)],
    ...WHO_AM_I,
  }),
};

/** What tells the topic of alarms, and encrypts what it tells. */
function publish({ topic, topicKey }: Scene): Possibilities {
  return { "kms:Decrypt": [topicKey], "kms:GenerateDataKey": [topicKey], "sns:Publish": [topic] };
}

/** All that AWS services can do by the policies of declared resources. A service that is missing here can do nothing. */
export const POSSIBLE_FOR_SERVICES: Readonly<Record<string, (scene: Scene) => Possibilities>> = {
  "cloudwatch.amazonaws.com": publish,
  "ecs-tasks.amazonaws.com": ({ executionRole, taskRole }) => ({ "sts:AssumeRole": [executionRole, taskRole] }),
  "events.amazonaws.com": publish,
  "events.rds.amazonaws.com": publish,
  "logdelivery.elasticloadbalancing.amazonaws.com": ({ bucket, place }) => ({
    "s3:PutObject": [`${bucket}/AWSLogs/${place.accountId}/*`],
  }),
  "monitoring.rds.amazonaws.com": ({ monitoringRole }) => ({ "sts:AssumeRole": [monitoringRole] }),
  "rds.amazonaws.com": ({ proxyRole }) => ({ "sts:AssumeRole": [proxyRole] }),
  "vpc-flow-logs.amazonaws.com": ({ flowLogsRole }) => ({ "sts:AssumeRole": [flowLogsRole] }),
};
