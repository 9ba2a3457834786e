import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { EVERYTHING } from "../infra/iam/decide.ts";
import { allows, type BootstrapRole, bootstrapOf, roleOf } from "./account.ts";
import { EMPOWERING, empower, MANAGING, pass, ROLE_ATTACKS } from "./role-cases.ts";
import {
  BUCKET_ATTACKS,
  type Case,
  KEY_ATTACKS,
  OTHER_OBJECTS,
  OWN_CHECKPOINTS,
  OWN_ROLE,
  OWN_UPDATES,
  object,
  regional,
  roleArn,
  type Scene,
  SECRET_READS,
  sceneOf,
  throughS3,
} from "./scene.ts";

const OWN_DATABASE = regional("rds", "db:passwordless-postgres-production-0123abcd");

const ALLOWED: readonly Case[] = [
  ["list the state's bucket", ({ bucket }) => ({ action: "s3:ListBucket", resource: bucket })],
  ["read the state's layout", object("s3:GetObject", "meta.yaml")],
  ...[...OWN_CHECKPOINTS, ...OWN_UPDATES].flatMap((key) =>
    ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"].map(
      (action): Case => [`${action} ${key}`, object(action, key)],
    ),
  ),
  ...["kms:Decrypt", "kms:GenerateDataKey"].map(
    (action): Case => [
      `have S3 use the state's key (${action})`,
      (scene) => ({ action, resource: scene.stateKey, context: throughS3(scene) }),
    ],
  ),
  ...["kms:Decrypt", "kms:Encrypt"].map(
    (action): Case => [
      `use the key of its secrets (${action})`,
      ({ secretsKey }) => ({ action, resource: secretsKey }),
    ],
  ),
  ...EMPOWERING.map((action): Case => [`call ${action} on its stack's role with the boundary`, empower(action)]),
  ...MANAGING.map((action): Case => [`call ${action} on its stack's role`, () => ({ action, resource: OWN_ROLE })]),
  ...["ecs-tasks", "rds", "monitoring.rds", "vpc-flow-logs"].map(
    (service): Case => [`hand its stack's role to ${service}`, pass(`${service}.amazonaws.com`)],
  ),
  [
    "make the role that RDS has in every account",
    () => ({
      action: "iam:CreateServiceLinkedRole",
      resource: roleArn("aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"),
      context: { "iam:AWSServiceName": "rds.amazonaws.com" },
    }),
  ],
  ["update a service", () => ({ action: "ecs:UpdateService", resource: regional("ecs", "service/a/b") })],
  ["push an image", () => ({ action: "ecr:PutImage", resource: regional("ecr", "repository/application") })],
  ["change its stack's database", () => ({ action: "rds:ModifyDBInstance", resource: OWN_DATABASE })],
  ["make a key", () => ({ action: "kms:CreateKey", resource: "*" })],
  [
    "let RDS use a key of its stack",
    () => ({
      action: "kms:CreateGrant",
      resource: regional("kms", "key/1"),
      context: { "kms:GrantIsForAWSResource": "true" },
    }),
  ],
  [
    "have RDS make the managed secret",
    () => ({ action: "secretsmanager:CreateSecret", resource: regional("secretsmanager", "secret:rds!db-1-abcdef") }),
  ],
];

const OTHERS: readonly Case[] = [
  ...[...OTHER_OBJECTS, "meta.yaml"].flatMap((key): readonly Case[] => [
    [`write ${key}`, object("s3:PutObject", key)],
    [`delete ${key}`, object("s3:DeleteObject", key)],
  ]),
  ...OTHER_OBJECTS.map((key): Case => [`read ${key}`, object("s3:GetObject", key)]),
  ["use another stack's secrets", ({ otherSecretsKey }) => ({ action: "kms:Decrypt", resource: otherSecretsKey })],
  ["decrypt with any other key", () => ({ action: "kms:Decrypt", resource: regional("kms", "key/1") })],
  [
    "delete another stack's database",
    () => ({
      action: "rds:DeleteDBInstance",
      resource: regional("rds", "db:passwordless-postgres-staging-0123abcd"),
    }),
  ],
  [
    "delete the database of a stack whose name begins alike",
    () => ({
      action: "rds:DeleteDBInstance",
      resource: regional("rds", "db:passwordless-postgres-production-eu-0123abcd"),
    }),
  ],
  [
    "update a service in another region",
    () => ({
      action: "ecs:UpdateService",
      resource: regional("ecs", "service/a/b", "eu-west-1"),
      context: { "aws:RequestedRegion": "eu-west-1" },
    }),
  ],
  [
    "share a key with another account",
    () => ({
      action: "kms:CreateGrant",
      resource: regional("kms", "key/1"),
      context: { "kms:GrantIsForAWSResource": "false" },
    }),
  ],
  [
    "connect to the database",
    () => ({ action: "rds-db:connect", resource: regional("rds-db", "dbuser:prx-0123456789abcdef0/service_owner") }),
  ],
];

/** Beyond the boundary as well, so that no grant could allow it. */
const BOUNDED: readonly Case[] = [
  ...SECRET_READS,
  ...BUCKET_ATTACKS,
  ...KEY_ATTACKS,
  ...ROLE_ATTACKS.filter(([says]) => !/^attach |PassRole on/.test(says)),
];

describe("Who deploys production", () => {
  let program: Program;
  let role: BootstrapRole;
  let scene: Scene;
  before(async () => {
    program = await bootstrapOf();
    role = roleOf(program, "production-deploy");
    scene = sceneOf(program);
  });

  const judge = (cases: readonly Case[], allowed: boolean) => {
    for (const [says, wish] of cases) {
      it(`${allowed ? "may" : "may not"} ${says}`, async () => {
        assert.equal(await allows(program, role, wish(scene)), allowed);
      });
    }
  };
  judge(ALLOWED, true);
  judge(SECRET_READS, false);
  judge(OTHERS, false);
  judge(ROLE_ATTACKS, false);
  judge([...BUCKET_ATTACKS, ...KEY_ATTACKS], false);

  it("is granted none of these, whatever its boundary says", async () => {
    const unbounded = { ...role, boundary: [] };
    for (const [says, wish] of [...ROLE_ATTACKS, ...BUCKET_ATTACKS, ...SECRET_READS, ...OTHERS])
      assert.equal(await allows(program, unbounded, wish(scene)), false, says);
  });

  it("may use a key only for S3's objects of the state, or for what RDS and Secrets Manager do for it", async () => {
    const { stateKey } = scene;
    const ask = (resource: string, context: Readonly<Record<string, string>>) =>
      allows(program, role, { action: "kms:Decrypt", resource, context });
    assert.equal(
      await ask(stateKey, { ...throughS3(scene), "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::x" }),
      false,
    );
    assert.equal(await ask(stateKey, { "kms:ViaService": "ssm.eu-west-2.amazonaws.com" }), false);
    const key = regional("kms", "key/1");
    assert.equal(await ask(key, { "kms:ViaService": "secretsmanager.eu-west-2.amazonaws.com" }), true);
    assert.equal(await ask(key, { "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com" }), false);
  });
});

describe("Whatever is granted to the role that deploys production, its boundary keeps it from this: it", () => {
  let program: Program;
  let wide: BootstrapRole;
  let scene: Scene;
  before(async () => {
    program = await bootstrapOf();
    wide = { ...roleOf(program, "production-deploy"), policies: [{ name: "wide", policy: EVERYTHING }] };
    scene = sceneOf(program);
  });

  for (const [says, wish] of BOUNDED) {
    it(`may not ${says}`, async () => assert.equal(await allows(program, wide, wish(scene)), false));
  }

  it("would be allowed each of these without its boundary", async () => {
    const unbounded = { ...wide, boundary: [] };
    for (const [says, wish] of BOUNDED) assert.equal(await allows(program, unbounded, wish(scene)), true, says);
  });
});
