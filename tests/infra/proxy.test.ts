import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { evaluate } from "../../local/program.ts";
import { ofType, only, PROJECT, programOf, STACKS } from "./declared-program.ts";

const SUBNETS = {
  vpcId: "vpc-0a",
  publicSubnetIds: '["subnet-0a", "subnet-0b"]',
  isolatedSubnetIds: '["subnet-1a", "subnet-1b"]',
};

describe("The proxy", () => {
  for (const stack of STACKS) {
    it(`admits clients by IAM token over TLS only, and logs in with the managed secret (${stack})`, async () => {
      const program = await programOf(stack);
      const { name, vpcSubnetIds, vpcSecurityGroupIds, ...inputs } = only(program, "Proxy").inputs;
      const [secret] = only(program, "Instance").outputs.masterUserSecrets as { readonly secretArn: string }[];
      assert.deepEqual(inputs, {
        engineFamily: "POSTGRESQL",
        auths: [{ authScheme: "SECRETS", iamAuth: "REQUIRED", secretArn: secret?.secretArn }],
        requireTls: true,
        idleClientTimeout: 1800,
        debugLogging: false,
        roleArn: only(program, "Role", "proxy").outputs.arn,
      });
    });

    it(`leaves head-room in the database and waits 30 s at most for a connection of it (${stack})`, async () => {
      const program = await programOf(stack);
      assert.deepEqual(only(program, "ProxyDefaultTargetGroup").inputs, {
        dbProxyName: only(program, "Proxy").outputs.name,
        connectionPoolConfig: {
          maxConnectionsPercent: 60,
          maxIdleConnectionsPercent: 30,
          connectionBorrowTimeout: 30,
        },
      });
    });

    it(`has one target, the instance, by the name that a target takes (${stack})`, async () => {
      const program = await programOf(stack);
      const { identifier } = only(program, "Instance").outputs;
      assert.doesNotMatch(String(identifier), /^db-/);
      assert.deepEqual(only(program, "ProxyTarget").inputs, {
        dbProxyName: only(program, "Proxy").outputs.name,
        targetGroupName: "default",
        dbInstanceIdentifier: identifier,
      });
    });

    it(`is replaced with the database, target too, the new one before the old one goes (${stack})`, async () => {
      const program = await programOf(stack);
      const { resourceId } = only(program, "Instance").outputs;
      assert.match(String(resourceId), /^db-[0-9A-F]{26}$/);
      for (const type of ["Proxy", "ProxyTarget"]) {
        const { options } = only(program, type);
        assert.deepEqual(
          { replacementTrigger: options.replacementTrigger, deleteBeforeReplace: options.deleteBeforeReplace },
          { replacementTrigger: resourceId, deleteBeforeReplace: false },
          type,
        );
      }
      assert.equal(only(program, "Proxy").options.customTimeouts.delete, "60m");
    });

    it(`has a name that RDS takes, and a log group of that name with a retention (${stack})`, async () => {
      const program = await programOf(stack);
      const name = String(only(program, "Proxy").inputs.name);
      assert.match(name, new RegExp(`^${PROJECT}-${stack}-[0-9a-f]{8}$`));
      assert.ok(name.length <= 63, name);
      assert.equal(only(program, "LogGroup", "proxy").inputs.name, `/aws/rds/proxy/${name}`);
    });
  }

  it("has another name whenever it is replaced: by other subnets, by another database", async () => {
    const configs = [
      {},
      SUBNETS,
      { ...SUBNETS, isolatedSubnetIds: '["subnet-1a", "subnet-1c"]' },
      { ...SUBNETS, databaseUser: "other_owner" },
    ];
    const names = await Promise.all(
      configs.map(async (config) => only(await programOf("staging", config), "Proxy").inputs.name),
    );
    assert.equal(new Set(names).size, configs.length);
  });

  it("keeps its name when nothing that replaces it changes", async () => {
    const configs: readonly Readonly<Record<string, string>>[] = [{}, { poolSize: "5" }, { borrowTimeoutSeconds: "3" }];
    const names = await Promise.all(
      configs.map(async (config) => only(await programOf("staging", config), "Proxy").inputs.name),
    );
    assert.equal(new Set(names).size, 1);
  });

  it("keeps the secret of the old database until nobody uses the old proxy", async () => {
    const { inputs, options } = only(await programOf("production"), "RolePolicy", "proxy-read-secret");
    assert.deepEqual(options.replaceOnChanges, ["policy"]);
    assert.equal(inputs.name, undefined);
  });

  it("is granted to the task by a policy that is replaced, never rewritten under tasks that run", async () => {
    const program = await programOf("production");
    const { inputs, options } = only(program, "RolePolicy", "proxy-connect-service");
    assert.deepEqual(options.replaceOnChanges, ["policy"]);
    assert.notEqual(options.deleteBeforeReplace, true);
    // A fixed name would let the new grant overwrite the old one.
    assert.deepEqual(Object.keys(inputs).sort(), ["policy", "role"]);
  });

  it("refuses to grant a user that its secret does not hold, before anything is declared for it", async () => {
    const entry = new URL("fixtures/grant-to-another-user.ts", import.meta.url);
    await assert.rejects(evaluate("staging", { entry }), ({ message }: Error) => {
      assert.match(message, /no credentials for the database user "reporting"; allowed: "service_owner"/);
      return true;
    });
  });

  it("holds no secret of its own, and no other proxy, endpoint or target stands beside it", async () => {
    for (const stack of STACKS) {
      const program = await programOf(stack);
      for (const type of ["Proxy", "ProxyTarget", "ProxyDefaultTargetGroup"]) {
        assert.equal(ofType(program, type).length, 1, type);
      }
      assert.deepEqual(ofType(program, "ProxyEndpoint"), []);
    }
  });
});
