import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { parse } from "yaml";
import { RdsIamPool } from "../../app/postgres/index.ts";
import { type FoundInstance, instanceMistakes } from "../../infra/existing-database.ts";
import { declaredFirewall } from "../../local/firewall.ts";
import { evaluate, type Program, ProgramError } from "../../local/program.ts";
import { documentOf, ofType, only } from "../infra/declared-program.ts";
import { decide, type Question } from "../infra/iam/decide.ts";
import type { DeclaredPolicies } from "../infra/iam/declared-policies.ts";

const FOLDER = new URL("../../examples/existing-service/", import.meta.url);
const SERVICE_GROUP = "sg-0123456789abcdef0";
const TASK_ROLE = "arn:aws:iam::123456789012:role/orders-task";
const SECRETS_MANAGER = { "kms:ViaService": "secretsmanager.eu-west-2.amazonaws.com" };

const example = (config: Readonly<Record<string, string>> = {}) => evaluate("example", { folder: FOLDER, config });

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

describe("The example of an existing service", () => {
  let program: Program;
  before(async () => {
    program = await example();
  });

  it("declares a proxy and the ways to it, and nothing that exists already", () => {
    const declared = program.resources
      .filter(({ custom }) => custom)
      .map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);
    assert.deepEqual(declared.sort(), [
      "LogGroup proxy",
      "Proxy proxy",
      "ProxyDefaultTargetGroup proxy",
      "ProxyTarget proxy",
      "Role proxy",
      "RolePolicy proxy-connect-service",
      "RolePolicy proxy-read-secret",
      "SecurityGroup proxy",
      "SecurityGroupEgressRule proxy-to-database-egress",
      "SecurityGroupEgressRule service-to-proxy-egress",
      "SecurityGroupIngressRule proxy-to-database-ingress",
      "SecurityGroupIngressRule service-to-proxy-ingress",
    ]);
  });

  it("stands before the instance, where it is, by the secret that RDS keeps for it", () => {
    const { inputs } = only(program, "Proxy");
    const [auth, ...others] = inputs.auths as readonly Record<string, unknown>[];
    assert.deepEqual(others, []);
    assert.match(String(auth?.secretArn), /^arn:aws:secretsmanager:eu-west-2:123456789012:secret:rds!db-/);
    assert.deepEqual([auth?.authScheme, auth?.iamAuth, inputs.requireTls], ["SECRETS", "REQUIRED", true]);
    assert.equal((inputs.vpcSubnetIds as readonly string[]).length, 2);
    assert.equal(only(program, "ProxyTarget").inputs.dbInstanceIdentifier, "orders");
    assert.match(String(only(program, "ProxyTarget").options.replacementTrigger), /^db-[0-9A-F]{26}$/);
    const { connectionPoolConfig } = only(program, "ProxyDefaultTargetGroup").inputs;
    assert.deepEqual(connectionPoolConfig, {
      maxConnectionsPercent: 40,
      maxIdleConnectionsPercent: 20,
      connectionBorrowTimeout: 30,
    });
  });

  it("grants the existing task role by its name, replaced and never rewritten", () => {
    const { inputs, options } = only(program, "RolePolicy", "proxy-connect-service");
    assert.equal(inputs.role, "orders-task");
    assert.equal(inputs.name, undefined);
    assert.deepEqual(options.replaceOnChanges, ["policy"]);
  });

  it("opens 5432 from the service to the proxy and from there to the instance, and nothing else", () => {
    const firewall = declaredFirewall(program);
    const groups = {
      service: SERVICE_GROUP,
      proxy: only(program, "SecurityGroup").id,
      database: databaseGroup(program),
    };
    const open = Object.entries(groups).flatMap(([from, source]) =>
      Object.entries(groups).flatMap(([to, target]) =>
        [443, 5432, 8080]
          .filter((port) => firewall.allows([source], [target], port))
          .map((port) => `${from} -> ${to}:${port}`),
      ),
    );
    assert.deepEqual(open, ["service -> proxy:5432", "proxy -> database:5432"]);
    const rules = program.resources.filter(({ type }) => type.endsWith("Rule"));
    assert.equal(rules.length, 4);
    for (const { name, inputs } of rules) {
      assert.deepEqual(
        [inputs.cidrIpv4, inputs.cidrIpv6, inputs.prefixListId],
        [undefined, undefined, undefined],
        name,
      );
      assert.match(String(inputs.referencedSecurityGroupId), /^sg-/, name);
    }
    assert.deepEqual(Object.keys(only(program, "SecurityGroup").inputs).sort(), ["description", "vpcId"]);
  });

  it("tells the service all that a pool without a password needs, and no password", async () => {
    const environment = program.outputs.environment as Readonly<Record<string, string>>;
    const { DB_HOST = "", DB_PORT, POSTGRES_USER = "", POSTGRES_DB = "", AWS_REGION = "", ...others } = environment;
    assert.deepEqual(others, {});
    assert.deepEqual(
      [DB_PORT, POSTGRES_USER, POSTGRES_DB, AWS_REGION],
      ["5432", "orders_admin", "orders", "eu-west-2"],
    );
    assert.equal(DB_HOST, only(program, "Proxy").outputs.endpoint);
    const pool = new RdsIamPool({ host: DB_HOST, user: POSTGRES_USER, database: POSTGRES_DB, region: AWS_REGION });
    await pool.end();
  });

  it("holds no password anywhere", () => {
    const said = program.resources.map(({ inputs, outputs }) => [inputs, outputs]);
    const everything = JSON.stringify([said, program.outputs]);
    assert.doesNotMatch(everything, /password|passwd|secretstring|:\/\/[^/"]*:[^/"]*@/i);
  });

  it("waits with the proxy for what lets it work, and gives out the endpoint's grant after the target", () => {
    const proxy = only(program, "Proxy");
    const earlier = ["proxy-read-secret", "proxy-to-database-egress", "proxy-to-database-ingress"];
    const names = program.resources.filter(({ urn }) => proxy.dependencies.includes(urn)).map(({ name }) => name);
    assert.deepEqual(
      earlier.filter((name) => !names.includes(name)),
      [],
    );
  });

  it("names the partition of its region everywhere", async () => {
    const inputs = JSON.stringify(
      (await example({ "aws:region": "cn-north-1" })).resources.map((resource) => resource.inputs),
    );
    assert.doesNotMatch(inputs, /arn:aws:/);
    assert.match(inputs, /secretsmanager\.cn-north-1\.amazonaws\.com\.cn/);
  });

  it("fails in the preview when the user is not the one of the secret, and says who is", async () => {
    await assert.rejects(example({ databaseUser: "reporting" }), (error) => {
      assert.ok(error instanceof ProgramError);
      assert.match(
        error.message,
        /instance orders: its master user is "orders_admin", but the user is to be "reporting"/,
      );
      return true;
    });
  });

  it("takes one of the instance's groups by id, and refuses another's", async () => {
    await assert.rejects(
      example({ databaseSecurityGroupId: "sg-other" }),
      /securityGroupId is sg-other; allowed: one of them/,
    );
    const id = databaseGroup(program);
    assert.equal(databaseGroup(await example({ databaseSecurityGroupId: id })), id);
  });

  describe("By its policies AWS", () => {
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
});

describe("An instance that exists", () => {
  const FOUND: FoundInstance = {
    dbInstanceIdentifier: "orders",
    engine: "postgres",
    masterUsername: "orders_admin",
    masterUserSecrets: [{ secretArn: "arn", kmsKeyId: "key", secretStatus: "active" }],
    vpcSecurityGroups: ["sg-1"],
  };
  const CASES: readonly (readonly [says: string, found: Partial<FoundInstance>, mistake: RegExp])[] = [
    ["Aurora", { engine: "aurora-postgresql" }, /^its engine is aurora-postgresql; allowed: postgres/],
    ["no managed secret", { masterUserSecrets: [] }, /^it has no managed master secret.*--manage-master-user-password/],
    ["another master user", { masterUsername: "root" }, /^its master user is "root", .* "orders_admin"; allowed/],
    ["several groups", { vpcSecurityGroups: ["sg-1", "sg-2"] }, /^its security groups are sg-1, sg-2, but .* not set/],
    ["no group", { vpcSecurityGroups: [] }, /^its security groups are none/],
  ];

  it("can stand behind a proxy", () => {
    assert.deepEqual(instanceMistakes(FOUND, "orders_admin", undefined), []);
    assert.deepEqual(instanceMistakes({ ...FOUND, vpcSecurityGroups: ["sg-1", "sg-2"] }, "orders_admin", "sg-2"), []);
  });

  for (const [says, found, mistake] of CASES) {
    it(`cannot with ${says}, and is told why`, () => {
      const [told, ...others] = instanceMistakes({ ...FOUND, ...found }, "orders_admin", undefined);
      assert.match(told ?? "", mistake);
      assert.deepEqual(others, []);
    });
  }
});

describe("The README of the example", () => {
  it("names every key of its configuration, and sets those that have no default", async () => {
    const readme = await readFile(new URL("README.md", FOLDER), "utf8");
    const { config } = parse(await readFile(new URL("Pulumi.yaml", FOLDER), "utf8")) as {
      readonly config: Readonly<Record<string, { readonly default?: unknown }>>;
    };
    const own = Object.entries(config).filter(([key]) => !key.startsWith("aws:"));
    assert.equal(own.length, 7);
    for (const [name, { default: usual }] of own) {
      assert.ok(readme.includes(`\`${name}\``), `${name} is not explained`);
      if (usual === undefined) assert.match(readme, new RegExp(`pulumi config set ${name} `));
    }
  });

  it("links files that there are", async () => {
    const readme = await readFile(new URL("README.md", FOLDER), "utf8");
    const links = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)/g)].map(([, path = ""]) => path);
    assert.ok(links.length >= 2);
    for (const path of links) await readFile(new URL(path, FOLDER));
  });
});

/** Group of the instance, which admits the proxy. */
function databaseGroup(program: Program): string {
  return String(only(program, "SecurityGroupIngressRule", "proxy-to-database-ingress").inputs.securityGroupId);
}
