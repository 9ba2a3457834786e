import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { type DeclaredIam, declaredIam, type Request } from "../../local/iam.ts";
import { only, programOf } from "./declared-program.ts";

/** Who and what the declared program has, by ARN, for the requests that are judged. */
interface Scene {
  readonly proxyRole: string;
  readonly taskRole: string;
  readonly executionRole: string;
  readonly proxyId: string;
  readonly databaseId: string;
  readonly secret: string;
  readonly secretKey: string;
  readonly storageKey: string;
  readonly repository: string;
  readonly logGroup: string;
}

type Case = readonly [says: string, request: (scene: Scene) => Request];

const ACCOUNT = "123456789012";
const OTHER_ACCOUNT = "210987654321";
const USER = "service_owner";
const VIA_SECRETS_MANAGER = { "kms:ViaService": "secretsmanager.eu-west-2.amazonaws.com" };
const ECS_SOURCE = {
  "aws:SourceAccount": ACCOUNT,
  "aws:SourceArn": `arn:aws:ecs:eu-west-2:${ACCOUNT}:task/service/0123456789abcdef`,
};

function databaseUser(id: string, user: string, prefix = `arn:aws:rds-db:eu-west-2:${ACCOUNT}`): string {
  return `${prefix}:dbuser:${id}/${user}`;
}

function connect(principal: string, resource: string): Request {
  return { principal, action: "rds-db:connect", resource };
}

function read(principal: string, resource: string): Request {
  return { principal, action: "secretsmanager:GetSecretValue", resource };
}

function decrypt(principal: string, resource: string, context?: Request["context"]): Request {
  return { principal, action: "kms:Decrypt", resource, ...(context ? { context } : {}) };
}

function assume(principal: string, resource: string, context?: Request["context"]): Request {
  return { principal, action: "sts:AssumeRole", resource, ...(context ? { context } : {}) };
}

const ALLOWED: readonly Case[] = [
  ["the task connects to the proxy as the secret's user", (s) => connect(s.taskRole, databaseUser(s.proxyId, USER))],
  ["the proxy reads the master secret", (s) => read(s.proxyRole, s.secret)],
  [
    "the proxy decrypts the secret's key through Secrets Manager of the region",
    (s) => decrypt(s.proxyRole, s.secretKey, VIA_SECRETS_MANAGER),
  ],
  ["RDS assumes the proxy's role", (s) => assume("rds.amazonaws.com", s.proxyRole)],
  ["ECS assumes the task's role for a task", (s) => assume("ecs-tasks.amazonaws.com", s.taskRole, ECS_SOURCE)],
  ["ECS assumes the execution role for a task", (s) => assume("ecs-tasks.amazonaws.com", s.executionRole, ECS_SOURCE)],
  [
    "ECS logs in to the registry",
    (s) => ({ principal: s.executionRole, action: "ecr:GetAuthorizationToken", resource: "*" }),
  ],
  ...["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"].map(
    (action): Case => [
      `ECS pulls the image (${action})`,
      (s) => ({ principal: s.executionRole, action, resource: s.repository }),
    ],
  ),
  ...["logs:CreateLogStream", "logs:PutLogEvents"].map(
    (action): Case => [
      `ECS writes the log (${action})`,
      (s) => ({ principal: s.executionRole, action, resource: `${s.logGroup}:log-stream:service/service/0` }),
    ],
  ),
];

const DENIED_CONNECTIONS: readonly Case[] = [
  ["as another user", (s) => connect(s.taskRole, databaseUser(s.proxyId, "postgres"))],
  ["as the user in another letter case", (s) => connect(s.taskRole, databaseUser(s.proxyId, "Service_Owner"))],
  ["as a user whose name begins alike", (s) => connect(s.taskRole, databaseUser(s.proxyId, `${USER}2`))],
  ["to another proxy", (s) => connect(s.taskRole, databaseUser("prx-0123456789abcdef0", USER))],
  ["to any proxy", (s) => connect(s.taskRole, databaseUser("prx-", USER))],
  ["past the proxy, to the instance", (s) => connect(s.taskRole, databaseUser(s.databaseId, USER))],
  [
    "in another region",
    (s) => connect(s.taskRole, databaseUser(s.proxyId, USER, `arn:aws:rds-db:eu-west-1:${ACCOUNT}`)),
  ],
  [
    "in another account",
    (s) => connect(s.taskRole, databaseUser(s.proxyId, USER, `arn:aws:rds-db:eu-west-2:${OTHER_ACCOUNT}`)),
  ],
  [
    "in another partition",
    (s) => connect(s.taskRole, databaseUser(s.proxyId, USER, `arn:aws-cn:rds-db:eu-west-2:${ACCOUNT}`)),
  ],
  ["by the execution role", (s) => connect(s.executionRole, databaseUser(s.proxyId, USER))],
  ["by the proxy's own role", (s) => connect(s.proxyRole, databaseUser(s.proxyId, USER))],
  ["by a role of nobody's", (s) => connect(`arn:aws:iam::${ACCOUNT}:role/else`, databaseUser(s.proxyId, USER))],
];

const DENIED_READS: readonly Case[] = [
  ["by the task", (s) => read(s.taskRole, s.secret)],
  ["by the execution role", (s) => read(s.executionRole, s.secret)],
  ["of another secret by the proxy", (s) => read(s.proxyRole, `${s.secret.slice(0, -6)}abcdef`)],
  ["of a secret whose name begins alike", (s) => read(s.proxyRole, `${s.secret}-2`)],
  [
    "of the same name in another region",
    (s) => read(s.proxyRole, s.secret.replace("secretsmanager:eu-west-2", "secretsmanager:eu-west-1")),
  ],
  ["of the same name in another account", (s) => read(s.proxyRole, s.secret.replace(ACCOUNT, OTHER_ACCOUNT))],
  [
    "for a change of the secret by the proxy",
    (s) => ({ principal: s.proxyRole, action: "secretsmanager:PutSecretValue", resource: s.secret }),
  ],
];

const DENIED_DECRYPTS: readonly Case[] = [
  ["directly", (s) => decrypt(s.proxyRole, s.secretKey)],
  [
    "through another service",
    (s) => decrypt(s.proxyRole, s.secretKey, { "kms:ViaService": "rds.eu-west-2.amazonaws.com" }),
  ],
  [
    "through Secrets Manager of another region",
    (s) => decrypt(s.proxyRole, s.secretKey, { "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com" }),
  ],
  ["of the storage key", (s) => decrypt(s.proxyRole, s.storageKey, VIA_SECRETS_MANAGER)],
  [
    "of another key",
    (s) =>
      decrypt(
        s.proxyRole,
        s.secretKey.replace(/key\/.*/, "key/00000000-0000-4000-8000-000000000000"),
        VIA_SECRETS_MANAGER,
      ),
  ],
  ["by the task", (s) => decrypt(s.taskRole, s.secretKey, VIA_SECRETS_MANAGER)],
  ["by the execution role", (s) => decrypt(s.executionRole, s.secretKey, VIA_SECRETS_MANAGER)],
  [
    "for encryption",
    (s) => ({ principal: s.proxyRole, action: "kms:Encrypt", resource: s.secretKey, context: VIA_SECRETS_MANAGER }),
  ],
];

const DENIED_ROLES: readonly Case[] = [
  ["the proxy's by ECS", (s) => assume("ecs-tasks.amazonaws.com", s.proxyRole, ECS_SOURCE)],
  ["the proxy's by EC2", (s) => assume("ec2.amazonaws.com", s.proxyRole)],
  ["the proxy's by the task", (s) => assume(s.taskRole, s.proxyRole)],
  ["the task's by RDS", (s) => assume("rds.amazonaws.com", s.taskRole, ECS_SOURCE)],
  ["the task's by the ECS service itself", (s) => assume("ecs.amazonaws.com", s.taskRole, ECS_SOURCE)],
  ["the task's by EC2", (s) => assume("ec2.amazonaws.com", s.taskRole, ECS_SOURCE)],
  ["the task's by the execution role", (s) => assume(s.executionRole, s.taskRole)],
  ["the execution role by RDS", (s) => assume("rds.amazonaws.com", s.executionRole, ECS_SOURCE)],
  ["the execution role by the task", (s) => assume(s.taskRole, s.executionRole)],
  ...(["taskRole", "executionRole"] as const).flatMap((role): Case[] => [
    [
      `${role} by ECS for another account`,
      (s) => assume("ecs-tasks.amazonaws.com", s[role], { ...ECS_SOURCE, "aws:SourceAccount": OTHER_ACCOUNT }),
    ],
    [
      `${role} by ECS for a task of another account`,
      (s) =>
        assume("ecs-tasks.amazonaws.com", s[role], {
          ...ECS_SOURCE,
          "aws:SourceArn": ECS_SOURCE["aws:SourceArn"].replace(ACCOUNT, OTHER_ACCOUNT),
        }),
    ],
    [
      `${role} by ECS for a task of another region`,
      (s) =>
        assume("ecs-tasks.amazonaws.com", s[role], {
          ...ECS_SOURCE,
          "aws:SourceArn": ECS_SOURCE["aws:SourceArn"].replace("eu-west-2", "eu-west-1"),
        }),
    ],
    [`${role} by ECS for nobody`, (s) => assume("ecs-tasks.amazonaws.com", s[role])],
  ]),
];

const DENIED_STARTS: readonly Case[] = [
  [
    "the execution role pulls from another repository",
    (s) => ({ principal: s.executionRole, action: "ecr:BatchGetImage", resource: `${s.repository}-2` }),
  ],
  [
    "the execution role pushes an image",
    (s) => ({ principal: s.executionRole, action: "ecr:PutImage", resource: s.repository }),
  ],
  [
    "the execution role writes to another log group",
    (s) => ({
      principal: s.executionRole,
      action: "logs:PutLogEvents",
      resource: `${s.logGroup}-2:log-stream:service/service/0`,
    }),
  ],
  ["the task pulls an image", (s) => ({ principal: s.taskRole, action: "ecr:BatchGetImage", resource: s.repository })],
  [
    "the task writes to the log group",
    (s) => ({
      principal: s.taskRole,
      action: "logs:PutLogEvents",
      resource: `${s.logGroup}:log-stream:service/service/0`,
    }),
  ],
];

describe("By the declared policies", () => {
  let iam: DeclaredIam;
  let scene: Scene;

  before(async () => {
    const program = await programOf("production");
    iam = declaredIam(program);
    const arn = (type: string, name: string) => String(only(program, type, name).outputs.arn);
    const instance = only(program, "Instance").outputs;
    const [secret] = instance.masterUserSecrets as { readonly secretArn: string }[];
    const { arn: repository } = only(program, "Repository").outputs.repository as { readonly arn: string };
    scene = {
      proxyRole: arn("Role", "proxy"),
      taskRole: arn("Role", "service-task"),
      executionRole: arn("Role", "service-execution"),
      proxyId: arn("Proxy", "proxy").split(":").at(-1) ?? "",
      databaseId: String(instance.resourceId),
      secret: secret?.secretArn ?? "",
      secretKey: arn("Key", "database-secret"),
      storageKey: arn("Key", "database-storage"),
      repository,
      logGroup: arn("LogGroup", "service"),
    };
  });

  const judge = (cases: readonly Case[], allowed: boolean) => {
    for (const [says, request] of cases) {
      it(says, async () => {
        assert.equal(await iam.allows(request(scene)), allowed);
      });
    }
  };

  describe("AWS allows that", () => judge(ALLOWED, true));
  describe("AWS denies a connection", () => judge(DENIED_CONNECTIONS, false));
  describe("AWS denies reading the secret", () => judge(DENIED_READS, false));
  describe("AWS denies a decrypt", () => judge(DENIED_DECRYPTS, false));
  describe("AWS denies assuming a role:", () => judge(DENIED_ROLES, false));
  describe("AWS denies that", () => judge(DENIED_STARTS, false));
});
