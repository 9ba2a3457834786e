import type { Account, PolicyDocument } from "../../infra/iam.ts";
import { policyArn, type StackName, stackNames } from "../names.ts";
import { SECRET_VALUES } from "./access.ts";
import { deployActions } from "./actions.ts";
import {
  ATTACHING_ACTIONS,
  BOUNDED_ACTIONS,
  LINKED_SERVICES,
  linkedRoles,
  PASSED_TO,
  rolesOfStack,
} from "./stack-roles.ts";

/** What guards a key, and what would take it away: nothing that a deployment may do to a key of bootstrap's. */
const KEY_ADMINISTRATION = [
  "kms:CreateAlias",
  "kms:CreateGrant",
  "kms:Delete*",
  "kms:Disable*",
  "kms:PutKeyPolicy",
  "kms:ReplicateKey",
  "kms:RevokeGrant",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:Update*",
] as const;

/** What guards the state's bucket, and what was replaced or deleted in it: a deployment works with objects as they are. */
const BUCKET_ADMINISTRATION = [
  "s3:BypassGovernanceRetention",
  "s3:DeleteBucket*",
  "s3:DeleteObjectVersion*",
  "s3:GetObjectVersion*",
  "s3:PutAccelerateConfiguration",
  "s3:PutBucket*",
  "s3:PutEncryptionConfiguration",
  "s3:PutLifecycleConfiguration",
  "s3:PutObject?*",
  "s3:PutReplicationConfiguration",
  "s3:TagResource",
  "s3:UntagResource",
] as const;

/** What bootstrap made, and whoever deploys must leave as it is. */
export interface Untouchable {
  readonly bucketArn: string;
  /** Keys of the state and of all stacks' secrets. */
  readonly keyArns: readonly string[];
}

/**
 * Bounds whatever the deploying role is ever granted: the services that the program uses, and of IAM its stack's roles alone. It
 * grants nothing itself. A role cannot lift its own boundary, since IAM's calls reach roles of the stack's path only, and this role,
 * its boundary and bootstrap's policies are outside of it; and no boundary at all can be taken from a role.
 */
export function deployBoundary(stack: StackName, own: Untouchable, account: Account): PolicyDocument {
  const names = stackNames(stack);
  const services = deployActions().map(({ service }) => service);
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "UsedServices",
        Effect: "Allow",
        Action: [
          ...services.filter((service) => service !== "iam").map((service) => `${service}:*`),
          "secretsmanager:CreateSecret",
          "secretsmanager:TagResource",
        ],
        Resource: "*",
      },
      { Sid: "RolesOfStack", Effect: "Allow", Action: "iam:*", Resource: rolesOfStack(stack, account) },
      {
        Sid: "LinkedRoles",
        Effect: "Allow",
        Action: "iam:CreateServiceLinkedRole",
        Resource: linkedRoles(account),
        Condition: { StringEquals: { "iam:AWSServiceName": LINKED_SERVICES } },
      },
      {
        Sid: "NoUnboundedRoles",
        Effect: "Deny",
        Action: [...BOUNDED_ACTIONS, ...ATTACHING_ACTIONS],
        Resource: "*",
        Condition: {
          StringNotEquals: { "iam:PermissionsBoundary": policyArn(names, names.workloadBoundary, account) },
        },
      },
      { Sid: "NoBoundaryLifted", Effect: "Deny", Action: "iam:DeleteRolePermissionsBoundary", Resource: "*" },
      {
        Sid: "NoOtherServices",
        Effect: "Deny",
        Action: "iam:PassRole",
        Resource: "*",
        Condition: { StringNotEquals: { "iam:PassedToService": PASSED_TO } },
      },
      { Sid: "NoSecretValues", Effect: "Deny", Action: SECRET_VALUES, Resource: "*" },
      { Sid: "NoKeysOfBootstrap", Effect: "Deny", Action: KEY_ADMINISTRATION, Resource: own.keyArns },
      {
        Sid: "NoBucketOfBootstrap",
        Effect: "Deny",
        Action: BUCKET_ADMINISTRATION,
        Resource: [own.bucketArn, `${own.bucketArn}/*`],
      },
    ],
  };
}

/**
 * Bounds every role that the stack makes: connect to a database, read a managed master secret, pull an image, write logs. So a
 * deployment that was taken over can give a role of the stack no more than that, nor run anything with more. It must admit all that
 * the program grants its roles, as a test holds it to.
 */
export function workloadBoundary({ partition, region, accountId, dnsSuffix }: Account): PolicyDocument {
  const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
  return {
    Version: "2012-10-17",
    Statement: [
      { Sid: "Connect", Effect: "Allow", Action: "rds-db:connect", Resource: arn("rds-db", "dbuser:*/*") },
      {
        Sid: "ReadMasterSecrets",
        Effect: "Allow",
        Action: "secretsmanager:GetSecretValue",
        Resource: arn("secretsmanager", "secret:rds!db-*"),
      },
      {
        Sid: "DecryptMasterSecrets",
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: arn("kms", "key/*"),
        Condition: { StringEquals: { "kms:ViaService": `secretsmanager.${region}.${dnsSuffix}` } },
      },
      { Sid: "LogInToRegistry", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
      {
        Sid: "PullImages",
        Effect: "Allow",
        Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        Resource: arn("ecr", "repository/*"),
      },
      {
        Sid: "WriteLogs",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        Resource: arn("logs", "log-group:*"),
      },
      {
        // As AWS's own policy for enhanced monitoring has it (AmazonRDSEnhancedMonitoringRole): RDS makes the group.
        Sid: "MonitorInstances",
        Effect: "Allow",
        Action: ["logs:CreateLogGroup", "logs:GetLogEvents", "logs:PutRetentionPolicy"],
        Resource: arn("logs", "log-group:RDS*"),
      },
    ],
  };
}
