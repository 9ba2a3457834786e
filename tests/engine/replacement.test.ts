import assert from "node:assert/strict";
import { afterEach, before, it } from "mocha";
import type { Interference } from "../../local/engine/account.ts";
import { type Outcome, up } from "../../local/engine/outcome.ts";
import { assertBefore, deedsOf, describeEngine, onlyOperation, operationsOf } from "./engine-fixture.ts";

/** An existing network, whose subnets can be chosen; replacing them replaces the proxy. */
const [A, B, C] = ["subnet-0aaa", "subnet-0bbb", "subnet-0ccc"];
const NETWORK = { vpcId: "vpc-0123", publicSubnetIds: JSON.stringify(["subnet-0111", "subnet-0222"]) };

/** What the provider for AWS says of a deployment that ECS rolls back while it waits for the steady state. */
const ROLLED_BACK =
  "waiting for ECS Service (service) update: unexpected state 'ROLLED_BACK', wanted target 'tasksStable'";

/** Fails the service's deployment as AWS does, if anyone waits for it. */
const rollBack: Interference = ({ verb, type, inputs }) => {
  if (verb === "update" && type === "aws:ecs/service:Service" && inputs.waitForSteadyState === true) {
    throw new Error(ROLLED_BACK);
  }
};

describeEngine("A replacement on the real engine", (fixture) => {
  /** Deploys staging on these subnets, with the log begun anew. */
  async function deploy(
    subnets: readonly (string | undefined)[],
    config: Record<string, string> = {},
  ): Promise<Outcome> {
    fixture.account.forgetOperations();
    const isolatedSubnetIds = JSON.stringify(subnets);
    const { stack } = await fixture.engine.stack("staging", { config: { ...NETWORK, isolatedSubnetIds, ...config } });
    return up(stack);
  }

  /** Resources of a type and logical name that stand, by what AWS tells them apart by. */
  function standing(type: string, name: string): readonly string[] {
    return [...fixture.account.standing].filter((key) => {
      const [token, id] = key.split(" ");
      return token?.endsWith(`:${type}`) && id?.includes(name);
    });
  }

  before(async () => {
    assert.equal((await deploy([A, B])).failed, undefined);
  });

  afterEach(() => {
    fixture.account.interference = undefined;
  });

  it("of the proxy makes proxy, target and grant, moves the service, and only then deletes the old ones", async () => {
    let beside: readonly number[] = [];
    fixture.account.interference = ({ verb, type }) => {
      if (verb !== "update" || type !== "aws:ecs/service:Service") return;
      beside = [
        standing("Proxy", ""),
        standing("ProxyTarget", ""),
        standing("RolePolicy", ":proxy-connect-service-"),
      ].map((keys) => keys.length);
    };
    const outcome = await deploy([A, C]);
    assert.equal(outcome.failed, undefined);
    const { account } = fixture;
    const service = ["update", "Service", "service"] as const;
    for (const [type, name] of [
      ["Proxy", "proxy"],
      ["ProxyTarget", "proxy"],
      ["RolePolicy", "proxy-connect-service"],
    ] as const) {
      assertBefore(account, ["create", type, name], service);
      assertBefore(account, service, ["delete", type, name]);
    }
    assertBefore(account, ["create", "Proxy", "proxy"], ["create", "ProxyTarget", "proxy"]);
    assertBefore(account, ["create", "Proxy", "proxy"], ["create", "RolePolicy", "proxy-connect-service"]);
    assertBefore(account, ["delete", "ProxyTarget", "proxy"], ["delete", "Proxy", "proxy"]);
    assert.deepEqual(beside, [2, 2, 2], "old and new stand together while the service moves");
    assert.deepEqual(operationsOf(account, "delete", "Service"), []);
    assert.deepEqual(operationsOf(account, "create", "Instance"), []);
  });

  it("whose deployment AWS rolls back fails, and takes nothing from the tasks that still run", async () => {
    fixture.account.interference = rollBack;
    const { failed, text } = await deploy([B, C]);
    assert.match(`${failed}${text}`, /ROLLED_BACK/);
    assert.deepEqual(operationsOf(fixture.account, "delete"), []);
    assert.equal(onlyOperation(fixture.account, ["update", "Service", "service"]).failure, ROLLED_BACK);
    assert.equal(standing("Proxy", "").length, 2);
    assert.equal(standing("RolePolicy", ":proxy-connect-service-").length, 2);
  });

  it("that was rolled back is taken up where it stopped: nothing is made twice, and the old ones go", async () => {
    assert.equal((await deploy([B, C])).failed, undefined);
    const deeds = deedsOf(fixture.account);
    assert.deepEqual(
      deeds.filter((deed) => /^create /.test(deed)),
      [],
    );
    for (const deed of ["delete Proxy proxy", "delete ProxyTarget proxy", "delete RolePolicy proxy-connect-service"]) {
      assert.ok(deeds.includes(deed), deeds.join("\n"));
    }
    assertBefore(fixture.account, ["update", "Service", "service"], ["delete", "Proxy", "proxy"]);
    assert.deepEqual([standing("Proxy", "").length, standing("RolePolicy", ":proxy-connect-service-").length], [1, 1]);
  });

  it("of the database makes a proxy too, so that two targets never meet on one", async () => {
    const outcome = await deploy([B, C], { databaseUser: "another_owner" });
    assert.equal(outcome.failed, undefined);
    const { account } = fixture;
    assertBefore(account, ["create", "Instance", "database"], ["create", "Proxy", "proxy"]);
    assertBefore(account, ["create", "ProxyTarget", "proxy"], ["update", "Service", "service"]);
    assertBefore(account, ["update", "Service", "service"], ["delete", "ProxyTarget", "proxy"]);
    assertBefore(account, ["delete", "ProxyTarget", "proxy"], ["delete", "Instance", "database"]);
    const proxyOf = (id: string) => id.split("/")[0];
    const made = onlyOperation(account, ["create", "ProxyTarget", "proxy"]);
    const gone = onlyOperation(account, ["delete", "ProxyTarget", "proxy"]);
    assert.notEqual(proxyOf(made.id), proxyOf(gone.id));
  });
});
