import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { evaluate, type Program } from "../../local/program.ts";
import { documentOf, ofType, only } from "../infra/declared-program.ts";
import { decide, type Question } from "../infra/iam/decide.ts";
import type { DeclaredPolicies } from "../infra/iam/declared-policies.ts";

const FOLDER = new URL("../../examples/existing-service/", import.meta.url);
const TASK_ROLE = "arn:aws:iam::123456789012:role/orders-task";
const SECRETS_MANAGER = { "kms:ViaService": "secretsmanager.eu-west-2.amazonaws.com" };

/** The roles of the example, the service's own among them, with what each is granted. */
function policiesOf(program: Program): DeclaredPolicies {
  const grantedTo = (name: unknown) =>
    ofType(program, "RolePolicy")
      .filter(({ inputs }) => inputs.role === name)
      .map((policy) => ({ name: policy.name, policy: documentOf(policy, "policy") }));
  const proxyRole = only(program, "Role").outputs;
  const roles = [
    { name: "orders-task", arn: TASK_ROLE, policies: grantedTo("orders-task") },
    { name: "proxy", arn: String(proxyRole.arn), policies: grantedTo(proxyRole.name) },
  ];
  const trust = documentOf(only(program, "Role"), "assumeRolePolicy");
  const { accountId, partition } = program.place;
  return { accountId, partition, roles, ofResources: new Map([[String(proxyRole.arn), trust]]) };
}

describe("By the policies of the example of an existing service AWS", () => {
  let program: Program;
  before(async () => {
    program = await evaluate("example", { folder: FOLDER });
  });

  const proxyId = () => String(only(program, "Proxy").outputs.arn).split(":").at(-1);
  const user = (name: string, id = proxyId(), prefix = "arn:aws:rds-db:eu-west-2:123456789012") =>
    `${prefix}:dbuser:${id}/${name}`;
  const secret = () =>
    String((only(program, "Proxy").inputs.auths as readonly Record<string, unknown>[])[0]?.secretArn);
  const key = "arn:aws:kms:eu-west-2:123456789012:key/00000000-0000-4000-8000-000000000000";
  const connect = (principal: string, resource: string): Question => ({
    principal,
    action: "rds-db:connect",
    resource,
  });
  const proxyRole = () => String(only(program, "Role").outputs.arn);
  const read = (principal: string, resource: string): Question => ({
    principal,
    action: "secretsmanager:GetSecretValue",
    resource,
  });
  const decrypt = (resource: string, context?: Record<string, string>): Question => ({
    principal: proxyRole(),
    action: "kms:Decrypt",
    resource,
    ...(context ? { context } : {}),
  });

  const CASES: readonly (readonly [allowed: boolean, says: string, question: () => Question])[] = [
    [
      true,
      "the service connects through the proxy as the secret's user",
      () => connect(TASK_ROLE, user("orders_admin")),
    ],
    [false, "the service connects as another user", () => connect(TASK_ROLE, user("orders_reader"))],
    [false, "the service connects in another letter case", () => connect(TASK_ROLE, user("Orders_admin"))],
    [false, "the service connects through another proxy", () => connect(TASK_ROLE, user("orders_admin", "prx-0"))],
    [
      false,
      "the service connects to the instance itself",
      () => connect(TASK_ROLE, user("orders_admin", String(only(program, "ProxyTarget").options.replacementTrigger))),
    ],
    [
      false,
      "the service connects in another region",
      () => connect(TASK_ROLE, user("orders_admin", proxyId(), "arn:aws:rds-db:eu-west-1:123456789012")),
    ],
    [
      false,
      "the service connects in another account",
      () => connect(TASK_ROLE, user("orders_admin", proxyId(), "arn:aws:rds-db:eu-west-2:210987654321")),
    ],
    [false, "the proxy's role connects", () => connect(proxyRole(), user("orders_admin"))],
    [true, "the proxy reads the secret", () => read(proxyRole(), secret())],
    [false, "the proxy reads another secret", () => read(proxyRole(), secret().replace(/.{6}$/, "abcdef"))],
    [false, "the service reads the secret", () => read(TASK_ROLE, secret())],
    [true, "the proxy decrypts through Secrets Manager", () => decrypt(key, SECRETS_MANAGER)],
    [false, "the proxy decrypts by itself", () => decrypt(key)],
    [
      false,
      "the proxy decrypts through another service",
      () => decrypt(key, { "kms:ViaService": "ssm.eu-west-2.amazonaws.com" }),
    ],
    [false, "the proxy decrypts with another key", () => decrypt(key.replace(/0000$/, "0001"), SECRETS_MANAGER)],
    [
      true,
      "RDS assumes the proxy's role",
      () => ({ principal: "rds.amazonaws.com", action: "sts:AssumeRole", resource: proxyRole() }),
    ],
    [
      false,
      "ECS assumes the proxy's role",
      () => ({ principal: "ecs-tasks.amazonaws.com", action: "sts:AssumeRole", resource: proxyRole() }),
    ],
  ];
  for (const [allowed, says, question] of CASES) {
    it(`${allowed ? "allows" : "denies"} that ${says}`, async () => {
      assert.equal(await decide(policiesOf(program), question()), allowed);
    });
  }
});
