import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { RdsIamPool } from "../../app/postgres/index.ts";
import { declaredFirewall } from "../../local/firewall.ts";
import { evaluate, type Program, ProgramError } from "../../local/program.ts";
import { only } from "../infra/declared-program.ts";

const FOLDER = new URL("../../examples/existing-service/", import.meta.url);
const SERVICE_GROUP = "sg-0123456789abcdef0";

const example = (config: Readonly<Record<string, string>> = {}) => evaluate("example", { folder: FOLDER, config });

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
});

/** Group of the instance, which admits the proxy. */
function databaseGroup(program: Program): string {
  return String(only(program, "SecurityGroupIngressRule", "proxy-to-database-ingress").inputs.securityGroupId);
}
