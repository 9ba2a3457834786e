import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { edit } from "../../../local/program/edit.ts";
import { readDeclared } from "../../../local/program/read.ts";
import { evaluate, type Program } from "../../../local/program.ts";

describe("What the local environment reads of the program", () => {
  let program: Program;
  before(async () => {
    program = await evaluate("production", { config: { borrowTimeoutSeconds: "3", connectionLifetimeSeconds: "9" } });
  });

  it("is what the program declares", () => {
    const { region, proxy, database, service, loadBalancer } = readDeclared(program);
    assert.equal(region, "eu-west-2");
    assert.equal(proxy.port, 5_432);
    assert.equal(proxy.resourceId, proxy.arn.split(":").at(-1));
    assert.deepEqual(
      [proxy.requireTls, proxy.iamAuthRequired, proxy.borrowTimeoutSeconds, proxy.idleClientTimeoutSeconds],
      [true, true, 3, 1_800],
    );
    assert.equal(proxy.maxConnectionsPercent, 60);
    assert.equal(proxy.secretArn, database.secretArn);
    assert.deepEqual([database.majorVersion, database.maxConnections, database.forceSsl], [17, 400, true]);
    assert.deepEqual([database.user, database.name], ["service_owner", "projects"]);
    assert.match(database.secretKeyArn, /^arn:aws:kms:eu-west-2:123456789012:key\//);
    assert.deepEqual(
      service.containers.map(({ name, essential, stopTimeoutSeconds }) => [name, essential, stopTimeoutSeconds]),
      [
        ["migrate", false, 120],
        ["service", true, 120],
      ],
    );
    assert.equal(service.containers[1]?.environment.DB_CONNECTION_LIFETIME_SECONDS, "9");
    assert.deepEqual([service.containerName, service.containerPort], ["service", 8_080]);
    assert.equal(loadBalancer.idleTimeoutSeconds, 120);
    assert.deepEqual([loadBalancer.healthCheck.path, loadBalancer.healthCheck.status], ["/livez", 200]);
  });

  it("takes AWS's own defaults for what the program leaves out", () => {
    const bare = edit(
      edit(program, { type: "Proxy", name: "proxy" }, (inputs) => ({ ...inputs, idleClientTimeout: undefined })),
      { type: "ProxyDefaultTargetGroup", name: "proxy" },
      (inputs) => ({ ...inputs, connectionPoolConfig: {} }),
    );
    const { proxy } = readDeclared(bare);
    assert.deepEqual(
      [proxy.idleClientTimeoutSeconds, proxy.borrowTimeoutSeconds, proxy.maxConnectionsPercent],
      [1_800, 120, 100],
    );
  });

  it("is refused when something is missing that nothing can stand in for, by its name", () => {
    const edited = edit(program, { type: "ParameterGroup", name: "database" }, (inputs) => ({
      ...inputs,
      parameters: [],
    }));
    assert.throws(() => readDeclared(edited), /declares no max_connections of the database/);
    const twoSecrets = edit(program, { type: "Proxy", name: "proxy" }, (inputs) => ({ ...inputs, auths: [{}, {}] }));
    assert.throws(() => readDeclared(twoSecrets), /exactly one auth entry/);
  });
});
