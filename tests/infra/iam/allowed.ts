import type { Question } from "./decide.ts";
import { databaseUser, type Scene } from "./scene.ts";

/** A question that must be answered with yes, and what is beside it. */
export interface Asked {
  readonly question: Question;
  /** Parts of the resource that name it: each is altered in turn. A trust and a key's policy stay with their resource: none. */
  readonly ids: readonly string[];
  /** Other resources of the program, or of its surroundings, that it must not reach. */
  readonly otherResources: readonly string[];
  /** What must not be possible on the same resource. */
  readonly otherActions: readonly string[];
}

/** Something that the program's policies are for. */
export interface Allowed {
  readonly says: string;
  /** How many near misses it has. The count stands here so that none can vanish. */
  readonly nearMisses: number;
  readonly asks: (scene: Scene) => Asked;
}

/** The ARN of an administrator's role, in the account of the program unless another is named. */
export function administratorOf({ place }: Scene, accountId = place.accountId): string {
  return `arn:${place.partition}:iam::${accountId}:role/administrator`;
}

const NOTHING_BESIDE: Omit<Asked, "question"> = { ids: [], otherResources: [], otherActions: [] };

const CONNECT: Allowed = {
  says: "the task connects to the proxy as the secret's user",
  nearMisses: 25,
  asks: (scene) => ({
    question: { principal: scene.taskRole, action: "rds-db:connect", resource: databaseUser(scene, scene.user) },
    ids: [scene.proxyId, scene.user],
    otherResources: [
      databaseUser(scene, scene.user, scene.databaseId),
      databaseUser(scene, scene.user, "prx-0123456789abcdef0"),
      ...["postgres", "rdsadmin", "rdsproxyadmin", "rds_superuser"].map((other) => databaseUser(scene, other)),
    ],
    // The service has no other action than `connect`.
    otherActions: [],
  }),
};

const READ_SECRET: Allowed = {
  says: "the proxy reads the master secret",
  nearMisses: 24,
  asks: ({ place, proxyRole, secret }) => {
    const own = secret.slice(secret.lastIndexOf(":") + 1);
    const another = "rds!db-00000000-0000-4000-8000-000000000000-0a1b2c";
    return {
      question: { principal: proxyRole, action: "secretsmanager:GetSecretValue", resource: secret },
      ids: [own],
      otherResources: [secret.replace(own, another), secret.replace(own, `${place.region}/another-0a1b2c`)],
      otherActions: [
        "secretsmanager:DeleteSecret",
        "secretsmanager:DescribeSecret",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:PutResourcePolicy",
        "secretsmanager:PutSecretValue",
        "secretsmanager:RotateSecret",
        "secretsmanager:UpdateSecret",
        "secretsmanager:UpdateSecretVersionStage",
      ],
    };
  },
};

const DECRYPT: Allowed = {
  says: "the proxy decrypts the secret through Secrets Manager of the region",
  nearMisses: 38,
  asks: ({ place, proxyRole, secretKey, storageKey }) => ({
    question: {
      principal: proxyRole,
      action: "kms:Decrypt",
      resource: secretKey,
      context: { "kms:ViaService": `secretsmanager.${place.region}.${place.dnsSuffix}` },
    },
    ids: [secretKey.slice(secretKey.indexOf("/") + 1)],
    otherResources: [storageKey],
    otherActions: [
      "kms:CreateGrant",
      "kms:DescribeKey",
      "kms:Encrypt",
      "kms:GenerateDataKey",
      "kms:PutKeyPolicy",
      "kms:ReEncryptFrom",
      "kms:ScheduleKeyDeletion",
    ],
  }),
};

const LOG_IN_TO_REGISTRY: Allowed = {
  says: "ECS logs in to the registry",
  nearMisses: 5,
  asks: ({ executionRole }) => ({
    question: { principal: executionRole, action: "ecr:GetAuthorizationToken", resource: "*" },
    ids: [],
    otherResources: [],
    otherActions: ["ecr:DeleteRegistryPolicy", "ecr:DescribeRegistry", "ecr:PutRegistryPolicy"],
  }),
};

const PULL: readonly Allowed[] = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:BatchGetImage",
  "ecr:GetDownloadUrlForLayer",
].map((action) => ({
  says: `ECS pulls the image (${action})`,
  nearMisses: 20,
  asks: ({ executionRole, repository }) => {
    const name = repository.slice(repository.indexOf("/") + 1);
    return {
      question: { principal: executionRole, action, resource: repository },
      ids: [name],
      otherResources: [repository.replace(name, "another")],
      otherActions: [
        "ecr:BatchDeleteImage",
        "ecr:InitiateLayerUpload",
        "ecr:ListImages",
        "ecr:PutImage",
        "ecr:SetRepositoryPolicy",
      ],
    };
  },
}));

const WRITE_LOG: readonly Allowed[] = ["logs:CreateLogStream", "logs:PutLogEvents"].map((action) => ({
  says: `ECS writes the log (${action})`,
  nearMisses: 19,
  asks: ({ executionRole, logGroup }) => {
    const name = logGroup.slice(logGroup.lastIndexOf(":") + 1);
    const stream = `${logGroup}:log-stream:service/service/0`;
    return {
      question: { principal: executionRole, action, resource: stream },
      ids: [name],
      otherResources: [stream.replace(name, "/aws/rds/proxy/another")],
      otherActions: ["logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:GetLogEvents", "logs:PutRetentionPolicy"],
    };
  },
}));

/** Other ways to a session of a role, and what a session may carry: a trust names `sts:AssumeRole` alone. */
const OTHER_SESSIONS = [
  "sts:AssumeRoleWithSAML",
  "sts:AssumeRoleWithWebIdentity",
  "sts:SetSourceIdentity",
  "sts:TagSession",
];

const TRUST_RDS: Allowed = {
  says: "RDS assumes the proxy's role",
  nearMisses: 18,
  asks: ({ proxyRole }) => ({
    question: { principal: "rds.amazonaws.com", action: "sts:AssumeRole", resource: proxyRole },
    ...NOTHING_BESIDE,
    otherActions: OTHER_SESSIONS,
  }),
};

const TRUST_ECS: readonly Allowed[] = (["taskRole", "executionRole"] as const).map((role) => ({
  says: `ECS assumes the ${role} for a task of this account and region`,
  nearMisses: 26,
  asks: ({ place, [role]: resource }) => ({
    question: {
      principal: "ecs-tasks.amazonaws.com",
      action: "sts:AssumeRole",
      resource,
      context: {
        "aws:SourceAccount": place.accountId,
        "aws:SourceArn": `arn:${place.partition}:ecs:${place.region}:${place.accountId}:task/service/0123456789abcdef`,
      },
    },
    ...NOTHING_BESIDE,
    otherActions: OTHER_SESSIONS,
  }),
}));

const ADMINISTER_KEYS: readonly Allowed[] = (["secretKey", "storageKey"] as const).map((key) => ({
  says: `administrators of the account administer the ${key}`,
  nearMisses: 14,
  asks: (scene) => ({
    question: {
      principal: administratorOf(scene),
      action: "kms:PutKeyPolicy",
      resource: scene[key],
      administrator: true,
    },
    ...NOTHING_BESIDE,
  }),
}));

/** Everything that the program's policies are for. */
export const ALLOWED: readonly Allowed[] = [
  CONNECT,
  READ_SECRET,
  DECRYPT,
  LOG_IN_TO_REGISTRY,
  ...PULL,
  ...WRITE_LOG,
  TRUST_RDS,
  ...TRUST_ECS,
  ...ADMINISTER_KEYS,
];
