import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { type DeclaredIam, declaredIam, IamError } from "../../local/iam.ts";
import { edit, withoutStatement } from "../../local/program/edit.ts";
import { readDeclared } from "../../local/program/read.ts";
import { evaluate, type Program } from "../../local/program.ts";

describe("IAM as declared", () => {
  let program: Program;
  let iam: DeclaredIam;
  let connect: { principal: string; action: string; resource: string };
  before(async () => {
    program = await evaluate("production");
    iam = declaredIam(program);
    const { service, proxy, database } = readDeclared(program);
    const resource = `arn:aws:rds-db:eu-west-2:123456789012:dbuser:${proxy.resourceId}/${database.user}`;
    connect = { principal: service.taskRoleArn, action: "rds-db:connect", resource };
  });

  it("allows what a role's policy allows, and nothing beside it", async () => {
    assert.equal(await iam.allows(connect), true);
    assert.equal(await iam.allows({ ...connect, resource: `${connect.resource}_other` }), false);
    const instance = "arn:aws:rds:eu-west-2:123456789012:db:passwordless";
    assert.equal(await iam.allows({ ...connect, action: "rds:ModifyDBInstance", resource: instance }), false);
  });

  it("gives the same answer when it is asked again, also many questions later", async () => {
    const users = Array.from({ length: 1_200 }, (_, index) => `${connect.resource}${index}`);
    const answers = await Promise.all(users.map((resource) => iam.allows({ ...connect, resource })));
    assert.ok(answers.every((answer) => answer === false));
    assert.equal(await iam.allows(connect), true);
  });

  it("keeps questions apart that differ in their context only", async () => {
    const { proxy, database } = readDeclared(program);
    const decrypt = { principal: proxy.roleArn, action: "kms:Decrypt", resource: database.secretKeyArn };
    assert.equal(
      await iam.allows({ ...decrypt, context: { "kms:ViaService": "secretsmanager.eu-west-2.amazonaws.com" } }),
      true,
    );
    assert.equal(
      await iam.allows({ ...decrypt, context: { "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com" } }),
      false,
    );
    assert.equal(await iam.allows(decrypt), false);
  });

  it("knows no role that is not declared", async () => {
    assert.equal(await iam.allows({ ...connect, principal: "arn:aws:iam::123456789012:role/stranger" }), false);
  });

  it("sees an edited declaration, and leaves the original as it was", async () => {
    const forgotten = declaredIam(withoutStatement(program, "proxy-connect-service", "ConnectThroughProxy"));
    assert.equal(await forgotten.allows(connect), false);
    assert.equal(await iam.allows(connect), true);
  });

  it("refuses an action that does not exist, since a slip of the pen is no denial", async () => {
    await assert.rejects(
      iam.allows({ ...connect, action: "rds-db:conect" }),
      (error) => error instanceof IamError && /rds-db:conect/.test(error.message),
    );
  });

  it("refuses a role with policies that it would overlook", () => {
    for (const input of ["inlinePolicies", "managedPolicyArns"]) {
      const edited = edit(program, { type: "Role", name: "service-task" }, (inputs) => ({ ...inputs, [input]: ["x"] }));
      assert.throws(() => declaredIam(edited), new RegExp(`role service-task declares ${input}`));
    }
  });
});
