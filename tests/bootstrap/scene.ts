import type { Program } from "../../local/program.ts";
import { only } from "../infra/declared-program.ts";
import { ACCOUNT, REGION, type Wish } from "./account.ts";

/** ARNs that the decisions are about, for the stack production; `other` is staging in the same account. */
export interface Scene {
  readonly bucket: string;
  readonly stateKey: string;
  readonly secretsKey: string;
  readonly otherSecretsKey: string;
  /** Boundary that the stack's roles must have. */
  readonly boundary: string;
  readonly deployBoundary: string;
  readonly deployRole: string;
}

/** Names a case, and says what is wished for in the scene. */
export type Case = readonly [says: string, wish: (scene: Scene) => Wish];

export function sceneOf(program: Program): Scene {
  const arn = (type: string, name?: string) => String(only(program, type, name).outputs.arn);
  return {
    bucket: arn("Bucket"),
    stateKey: arn("Key", "state"),
    secretsKey: arn("Key", "production-secrets"),
    otherSecretsKey: arn("Key", "staging-secrets"),
    boundary: arn("Policy", "production-workload-boundary"),
    deployBoundary: arn("Policy", "production-deploy-boundary"),
    deployRole: arn("Role", "production-deploy"),
  };
}

/** ARN of something in the account and region. */
export function regional(service: string, resource: string, region = REGION): string {
  return `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
}

/** ARN of a role, by path and name. */
export function roleArn(pathAndName: string): string {
  return `arn:aws:iam::${ACCOUNT}:role/${pathAndName}`;
}

/** A role that production's program makes. */
export const OWN_ROLE = roleArn("passwordless-postgres/production/service-task-0123456");

/** Roles that are none of production's. */
export const OTHER_ROLES: readonly (readonly [whose: string, arn: string])[] = [
  ["another stack's", roleArn("passwordless-postgres/staging/service-task-0123456")],
  ["a stack's whose name begins alike", roleArn("passwordless-postgres/production-eu/service-task-0123456")],
  ["another project's", roleArn("passwordless/production/service-task-0123456")],
  ["a role's without path", roleArn("service-task-0123456")],
  ["an administrator's", roleArn("OrganizationAccountAccessRole")],
  ["the deploying role's own", roleArn("passwordless-postgres-bootstrap/passwordless-postgres-production-deploy")],
  ["the previewing role's", roleArn("passwordless-postgres-bootstrap/passwordless-postgres-production-preview")],
];

/** The bucket's key as S3 uses it for objects of the bucket. */
export function throughS3({ bucket }: Scene): Readonly<Record<string, string>> {
  return { "kms:ViaService": `s3.${REGION}.amazonaws.com`, "kms:EncryptionContext:aws:s3:arn": bucket };
}

/** An object of the state, by its key below `.pulumi/`. */
export function object(action: string, key: string): Case[1] {
  return ({ bucket }) => ({ action, resource: `${bucket}/.pulumi/${key}` });
}

const P = "passwordless-postgres";

/** What Pulumi keeps of the stack production where nothing is being changed. */
export const OWN_CHECKPOINTS = [
  `stacks/${P}/production.json`,
  `stacks/${P}/production.json.gz`,
  `stacks/${P}/production.json.bak`,
  `stacks/${P}/production.pulumi-tags`,
] as const;

/** What an update of production writes beside. */
export const OWN_UPDATES = [
  `backups/${P}/production/production.1790000000000000000.json`,
  `history/${P}/production/production-1790000000000000000.history.json`,
  `journal/${P}/production/manifest.json`,
  `locks/organization/${P}/production/b7a1.json`,
] as const;

/** Objects of others: another stack, names that begin alike, another project, bootstrap itself. */
export const OTHER_OBJECTS = [
  `stacks/${P}/staging.json`,
  `stacks/${P}/production-eu.json`,
  `stacks/${P}/production2.json`,
  `stacks/${P}-bootstrap/account.json`,
  "stacks/other/production.json",
  `backups/${P}/staging/staging.1790000000000000000.json`,
  `history/${P}/staging/staging-1790000000000000000.checkpoint.json`,
  `journal/${P}/staging/manifest.json`,
  `locks/organization/${P}/staging/b7a1.json`,
] as const;

/** The bucket's protections, and what was deleted from it: nobody's to touch who deploys or previews. */
export const BUCKET_ATTACKS: readonly Case[] = [
  ...[
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
  ].map((action): Case => [`call ${action} on the state's bucket`, ({ bucket }) => ({ action, resource: bucket })]),
  ...["s3:DeleteObjectVersion", "s3:GetObjectVersion", "s3:PutObjectAcl"].map(
    (action): Case => [`call ${action} on the stack's checkpoint`, object(action, OWN_CHECKPOINTS[0])],
  ),
];

/** What guards a key of bootstrap's. */
export const KEY_ATTACKS: readonly Case[] = (["stateKey", "secretsKey", "otherSecretsKey"] as const).flatMap((key) =>
  [
    "kms:CreateGrant",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UpdateKeyDescription",
  ].map((action): Case => [`call ${action} on bootstrap's ${key}`, (scene) => ({ action, resource: scene[key] })]),
);

/** The values of secrets: the stack's own, another's, and several at once. */
export const SECRET_READS: readonly Case[] = [
  [
    "read the value of a managed master secret",
    () => ({ action: "secretsmanager:GetSecretValue", resource: regional("secretsmanager", "secret:rds!db-1-abcdef") }),
  ],
  [
    "read the value of any other secret",
    () => ({ action: "secretsmanager:GetSecretValue", resource: regional("secretsmanager", "secret:other-abcdef") }),
  ],
  ["read the values of many secrets", () => ({ action: "secretsmanager:BatchGetSecretValue", resource: "*" })],
];
