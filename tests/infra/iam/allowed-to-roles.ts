import type { Allowed } from "./asked.ts";
import { databaseUser, monitoringStream } from "./scene.ts";

const CONNECT: Allowed = {
  says: "the task connects to the proxy as the secret's user",
  nearMisses: 27,
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
  nearMisses: 26,
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
  nearMisses: 44,
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
  nearMisses: 7,
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
  nearMisses: 22,
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
  nearMisses: 21,
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

const WRITE_FLOW_LOG: readonly Allowed[] = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"].map(
  (action) => ({
    says: `flow logs write theirs (${action})`,
    nearMisses: 21,
    asks: ({ flowLogsRole, flowLogGroup }) => {
      const name = flowLogGroup.slice(flowLogGroup.lastIndexOf(":") + 1);
      const stream = `${flowLogGroup}:log-stream:eni-0123456789abcdef0-all`;
      return {
        question: { principal: flowLogsRole, action, resource: stream },
        ids: [name],
        otherResources: [stream.replace(name, "/aws/rds/proxy/another")],
        otherActions: ["logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:GetLogEvents", "logs:PutRetentionPolicy"],
      };
    },
  }),
);

/** AWS's own policy reaches as far as it does: into every account and region, but to no log that is not of RDS. */
const WRITE_OS_METRICS: readonly Allowed[] = ["logs:CreateLogStream", "logs:PutLogEvents"].map((action) => ({
  says: `RDS writes the metrics of the operating system (${action})`,
  nearMisses: 10,
  asks: (scene) => ({
    question: { principal: scene.monitoringRole, action, resource: monitoringStream(scene) },
    ids: [],
    otherResources: [
      monitoringStream(scene, "/aws/rds/proxy/another"),
      monitoringStream(scene, "rdsosmetrics"),
      `${scene.logGroup}:log-stream:service/service/0`,
    ],
    otherActions: ["logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutSubscriptionFilter"],
  }),
}));

/** What the policies of the roles are for. */
export const ALLOWED_TO_ROLES: readonly Allowed[] = [
  CONNECT,
  READ_SECRET,
  DECRYPT,
  LOG_IN_TO_REGISTRY,
  ...PULL,
  ...WRITE_LOG,
  ...WRITE_FLOW_LOG,
  ...WRITE_OS_METRICS,
];
