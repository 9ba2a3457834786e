import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { EVERYTHING } from "../infra/iam/decide.ts";
import { allows, type BootstrapRole, bootstrapOf, roleOf } from "./account.ts";
import {
  BUCKET_ATTACKS,
  type Case,
  KEY_ATTACKS,
  OTHER_OBJECTS,
  OTHER_ROLES,
  OWN_CHECKPOINTS,
  OWN_ROLE,
  OWN_UPDATES,
  object,
  regional,
  type Scene,
  SECRET_READS,
  sceneOf,
  throughS3,
} from "./scene.ts";

const ALLOWED: readonly Case[] = [
  ["list the state's bucket", ({ bucket }) => ({ action: "s3:ListBucket", resource: bucket })],
  ["read the state's layout", object("s3:GetObject", "meta.yaml")],
  ...OWN_CHECKPOINTS.map((key): Case => [`read its own ${key}`, object("s3:GetObject", key)]),
  [
    "read what an update left in the journal",
    object("s3:GetObject", "journal/passwordless-postgres/production/manifest.json"),
  ],
  [
    "have S3 decrypt the state",
    (scene) => ({ action: "kms:Decrypt", resource: scene.stateKey, context: throughS3(scene) }),
  ],
  ["decrypt its stack's secrets", ({ secretsKey }) => ({ action: "kms:Decrypt", resource: secretsKey })],
  ["look at a role of its stack", () => ({ action: "iam:GetRole", resource: OWN_ROLE })],
  ["look at what it holds", () => ({ action: "iam:GetRolePolicy", resource: OWN_ROLE })],
  ["look at databases", () => ({ action: "rds:DescribeDBInstances", resource: regional("rds", "db:any") })],
  ["look at security groups", () => ({ action: "ec2:DescribeSecurityGroups", resource: "*" })],
  ["look at a service", () => ({ action: "ecs:DescribeServices", resource: regional("ecs", "service/a/b") })],
  ["look at a key's policy", () => ({ action: "kms:GetKeyPolicy", resource: regional("kms", "key/1") })],
];

const WRITES: readonly Case[] = [
  ...[...OWN_CHECKPOINTS, ...OWN_UPDATES, "meta.yaml"].flatMap((key): readonly Case[] => [
    [`write ${key}`, object("s3:PutObject", key)],
    [`delete ${key}`, object("s3:DeleteObject", key)],
  ]),
  ["encrypt a secret", ({ secretsKey }) => ({ action: "kms:Encrypt", resource: secretsKey })],
  [
    "encrypt a state",
    (scene) => ({ action: "kms:GenerateDataKey", resource: scene.stateKey, context: throughS3(scene) }),
  ],
  ["update a service", () => ({ action: "ecs:UpdateService", resource: regional("ecs", "service/a/b") })],
  ["delete a database", () => ({ action: "rds:DeleteDBInstance", resource: regional("rds", "db:any") })],
  ["push an image", () => ({ action: "ecr:PutImage", resource: regional("ecr", "repository/application") })],
  ["make a role", () => ({ action: "iam:CreateRole", resource: OWN_ROLE })],
  ["rewrite a role's policy", () => ({ action: "iam:PutRolePolicy", resource: OWN_ROLE })],
  ["hand a role to a service", () => ({ action: "iam:PassRole", resource: OWN_ROLE })],
];

const OTHERS: readonly Case[] = [
  ...OTHER_OBJECTS.map((key): Case => [`read ${key}`, object("s3:GetObject", key)]),
  ...OWN_UPDATES.filter((key) => !key.startsWith("journal")).map(
    (key): Case => [`read ${key}, which a preview has no use for`, object("s3:GetObject", key)],
  ),
  ["decrypt another stack's secrets", ({ otherSecretsKey }) => ({ action: "kms:Decrypt", resource: otherSecretsKey })],
  ["decrypt with the bucket's key itself", ({ stateKey }) => ({ action: "kms:Decrypt", resource: stateKey })],
  [
    "have S3 decrypt another bucket's objects",
    (scene) => ({
      action: "kms:Decrypt",
      resource: scene.stateKey,
      context: { ...throughS3(scene), "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::other" },
    }),
  ],
  ["decrypt with any other key", () => ({ action: "kms:Decrypt", resource: regional("kms", "key/1") })],
  ["read a log", () => ({ action: "logs:GetLogEvents", resource: regional("logs", "log-group:a:log-stream:b") })],
  ["read an image", () => ({ action: "ecr:BatchGetImage", resource: regional("ecr", "repository/application") })],
  [
    "connect to the database",
    () => ({ action: "rds-db:connect", resource: regional("rds-db", "dbuser:prx-0123456789abcdef0/service_owner") }),
  ],
  [
    "look at another region",
    () => ({
      action: "ec2:DescribeSecurityGroups",
      resource: "*",
      context: { "aws:RequestedRegion": "eu-west-1" },
    }),
  ],
  ["become another role", () => ({ action: "sts:AssumeRole", resource: OWN_ROLE })],
  ...OTHER_ROLES.map(
    ([whose, resource]): Case => [`look at ${whose} role`, () => ({ action: "iam:GetRole", resource })],
  ),
];

describe("Who previews production", () => {
  let program: Program;
  let role: BootstrapRole;
  let scene: Scene;
  before(async () => {
    program = await bootstrapOf();
    role = roleOf(program, "production-preview");
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
  judge(WRITES, false);
  judge(OTHERS, false);
  judge([...BUCKET_ATTACKS, ...KEY_ATTACKS], false);

  it("may read nothing of the state without TLS, or with an old one", async () => {
    const read = object("s3:GetObject", OWN_CHECKPOINTS[0])(scene);
    assert.equal(await allows(program, role, { ...read, context: { "aws:SecureTransport": "false" } }), false);
    assert.equal(await allows(program, role, { ...read, context: { "s3:TlsVersion": "1.1" } }), false);
    assert.equal(await allows(program, role, { ...read, context: { "s3:TlsVersion": "1.2" } }), true);
  });

  it("may not read a secret's value even when everything is granted to it", async () => {
    const wide = { ...role, policies: [...role.policies, { name: "wide", policy: EVERYTHING }] };
    for (const [, wish] of SECRET_READS) assert.equal(await allows(program, wide, wish(scene)), false);
    const update = { action: "ecs:UpdateService", resource: regional("ecs", "service/a/b") };
    assert.equal(await allows(program, wide, update), true);
  });
});
