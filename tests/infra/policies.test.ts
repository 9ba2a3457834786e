import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { DeclaredResource } from "../../local/program/resource.ts";
import type { Program } from "../../local/program.ts";
import { documentOf, ofType, only, programOf, STACKS } from "./declared-program.ts";

const REGION = "eu-west-2";
const ACCOUNT = "123456789012";

/** The policies of a role, by the role's logical name. */
function policiesOf(program: Program, roleName: string): readonly DeclaredResource[] {
  const role = only(program, "Role", roleName);
  return ofType(program, "RolePolicy").filter((policy) => policy.inputs.role === role.outputs.name);
}

for (const stack of STACKS) {
  describe(`The policies of stack ${stack}`, () => {
    let program: Program;
    before(async () => {
      program = await programOf(stack);
    });

    it("declare five roles, each with one policy and no other way to be given more", () => {
      const roles = ofType(program, "Role");
      assert.deepEqual(roles.map(({ name }) => name).sort(), [
        "database-monitoring",
        "network-flow-logs",
        "proxy",
        "service-execution",
        "service-task",
      ]);
      assert.equal(ofType(program, "RolePolicy").length, 4);
      for (const role of roles) {
        // AWS's own policy is attached to the one role that only AWS can say the permissions of.
        const inline = role.name === "database-monitoring" ? 0 : 1;
        assert.equal(policiesOf(program, role.name).length, inline, role.name);
        assert.deepEqual(Object.keys(role.inputs).sort(), ["assumeRolePolicy", "path"], role.name);
        assert.equal(role.inputs.path, `/${program.project}/${program.stack}/`);
      }
      assert.deepEqual(
        ofType(program, "RolePolicyAttachment").map(({ inputs }) => inputs),
        [
          {
            role: only(program, "Role", "database-monitoring").outputs.name,
            policyArn: "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
          },
        ],
      );
      assert.deepEqual(ofType(program, "PolicyAttachment"), []);
    });

    it("let RDS alone assume the proxy's role", () => {
      assert.deepEqual(documentOf(only(program, "Role", "proxy"), "assumeRolePolicy"), {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "rds.amazonaws.com" }, Action: "sts:AssumeRole" }],
      });
    });

    it("let enhanced monitoring of the one instance alone assume its role", () => {
      const { identifier } = only(program, "Instance").inputs;
      assert.deepEqual(documentOf(only(program, "Role", "database-monitoring"), "assumeRolePolicy").Statement, [
        {
          Effect: "Allow",
          Principal: { Service: "monitoring.rds.amazonaws.com" },
          Action: "sts:AssumeRole",
          Condition: {
            StringEquals: { "aws:SourceAccount": ACCOUNT },
            ArnLike: { "aws:SourceArn": `arn:aws:rds:${REGION}:${ACCOUNT}:db:${identifier}` },
          },
        },
      ]);
    });

    for (const name of ["service-task", "service-execution"]) {
      it(`let ECS tasks of this account and region alone assume ${name}`, () => {
        assert.deepEqual(documentOf(only(program, "Role", name), "assumeRolePolicy"), {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "ecs-tasks.amazonaws.com" },
              Action: "sts:AssumeRole",
              Condition: {
                StringEquals: { "aws:SourceAccount": ACCOUNT },
                ArnLike: { "aws:SourceArn": `arn:aws:ecs:${REGION}:${ACCOUNT}:*` },
              },
            },
          ],
        });
      });
    }

    it("let the proxy read the master secret and decrypt it through Secrets Manager, and nothing else", () => {
      const [policy] = policiesOf(program, "proxy");
      assert.ok(policy);
      const [secret] = only(program, "Instance").outputs.masterUserSecrets as { readonly secretArn: string }[];
      assert.match(secret?.secretArn ?? "", /^arn:aws:secretsmanager:eu-west-2:123456789012:secret:rds!db-[0-9a-f-]+$/);
      assert.deepEqual(documentOf(policy, "policy"), {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "ReadMasterSecret",
            Effect: "Allow",
            Action: "secretsmanager:GetSecretValue",
            Resource: secret?.secretArn,
          },
          {
            Sid: "DecryptMasterSecret",
            Effect: "Allow",
            Action: "kms:Decrypt",
            Resource: only(program, "Key", "database-secret").outputs.arn,
            Condition: { StringEquals: { "kms:ViaService": `secretsmanager.${REGION}.amazonaws.com` } },
          },
        ],
      });
    });

    it("let the task connect to this proxy as the secret's user, and nothing else", () => {
      const [policy] = policiesOf(program, "service-task");
      assert.ok(policy);
      const id = String(only(program, "Proxy").outputs.arn).split(":").at(-1);
      assert.match(id ?? "", /^prx-[0-9a-f]{17}$/);
      assert.deepEqual(documentOf(policy, "policy"), {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "ConnectThroughProxy",
            Effect: "Allow",
            Action: "rds-db:connect",
            Resource: `arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:${id}/service_owner`,
          },
        ],
      });
    });

    it("let ECS pull the one image and write to the one log group, and nothing else", () => {
      const [policy] = policiesOf(program, "service-execution");
      assert.ok(policy);
      const repository = only(program, "Repository").outputs.repository as { readonly arn: string };
      assert.deepEqual(documentOf(policy, "policy"), {
        Version: "2012-10-17",
        Statement: [
          { Sid: "LogInToRegistry", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
          {
            Sid: "PullImage",
            Effect: "Allow",
            Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            Resource: repository.arn,
          },
          {
            Sid: "WriteLogs",
            Effect: "Allow",
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: `${only(program, "LogGroup", "service").outputs.arn}:*`,
          },
        ],
      });
    });

    it("leave the database's keys, which rotate, to the account's own policies", () => {
      const names = ofType(program, "Key").map(({ name }) => name);
      assert.deepEqual(names.sort(), ["database-secret", "database-storage", "observability-alarms"]);
      const keys = ofType(program, "Key").filter(({ name }) => name.startsWith("database-"));
      for (const key of keys) {
        assert.equal(key.inputs.enableKeyRotation, true, key.name);
        assert.deepEqual(documentOf(key, "policy"), {
          Version: "2012-10-17",
          Statement: [
            {
              Sid: "AdministerByAccount",
              Effect: "Allow",
              Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
              Action: "kms:*",
              Resource: "*",
            },
          ],
        });
      }
    });
  });
}

describe("The policies of a stack in another partition", () => {
  it("name that partition and its services in every ARN and condition, but RDS by its one name", async () => {
    const program = await programOf("staging", { "aws:region": "cn-north-1" });
    const documents = program.resources.flatMap(({ inputs }) => [inputs.policy, inputs.assumeRolePolicy]);
    const texts = documents.map(String).filter((text) => text.includes(`"Statement"`));
    const holders = ["Role", "RolePolicy", "Key", "TopicPolicy", "BucketPolicy", "VpcEndpoint"].flatMap((type) =>
      ofType(program, type),
    );
    assert.equal(texts.length, holders.length);
    assert.ok(texts.length > 12, String(texts.length));
    assert.deepEqual(
      texts.filter((text) => text.includes("arn:aws:")),
      [],
    );
    assert.ok(texts.some((text) => text.includes('"arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:prx-')));
    assert.ok(texts.some((text) => text.includes('"kms:ViaService":"secretsmanager.cn-north-1.amazonaws.com.cn"')));
    assert.ok(texts.some((text) => text.includes('"Service":"rds.amazonaws.com"')));
  });
});
