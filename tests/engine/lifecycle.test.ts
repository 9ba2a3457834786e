import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { before, it } from "mocha";
import { REGISTRY_PASSWORD } from "../../local/awsx/ecr.ts";
import { destroy } from "../../local/engine/outcome.ts";
import { evaluate, type Program } from "../../local/program.ts";
import { assertBefore, type Deed, describeEngine, operationsOf } from "./engine-fixture.ts";
import { filesWith } from "./files-with.ts";

const PROXY_WORKS: readonly Deed[] = [
  ["create", "RolePolicy", "proxy-read-secret"],
  ["create", "SecurityGroupEgressRule", "proxy-to-database-egress"],
  ["create", "SecurityGroupIngressRule", "proxy-to-database-ingress"],
  ["create", "Instance", "database"],
  ["create", "Key", "database-secret"],
];

const SERVICE_STARTS: readonly Deed[] = [
  ["create", "ProxyTarget", "proxy"],
  ["create", "RolePolicy", "proxy-connect-service"],
  ["create", "SecurityGroupEgressRule", "service-to-proxy-egress"],
  ["create", "SecurityGroupIngressRule", "service-to-proxy-ingress"],
  ["create", "SecurityGroupEgressRule", "service-to-s3-egress"],
  ["create", "RolePolicy", "service-start"],
  ["create", "VpcEndpoint", "network-ecr-dkr"],
  ["create", "VpcEndpoint", "network-s3"],
  ["create", "Listener", "load-balancer"],
];

describeEngine("Production on the real engine", (fixture) => {
  let stack: Stack;
  let program: Program;
  before(async () => {
    program = await evaluate("production");
    stack = (await fixture.engine.stack("production")).stack;
  });

  it("is previewed whole, but for the image, which has no repository yet", async () => {
    const { changeSummary } = await stack.preview();
    assert.deepEqual(changeSummary, { create: program.resources.length - 1 });
    assert.deepEqual(fixture.account.operations, [], "a preview makes nothing");
  });

  it("is made as it is declared, each resource once", async () => {
    const { summary } = await stack.up();
    assert.deepEqual(summary.resourceChanges, { create: program.resources.length });
    const made = operationsOf(fixture.account, "create").map(({ type, name }) => `${type} ${name}`);
    const declared = program.resources.filter(({ custom }) => custom).map(({ type, name }) => `${type} ${name}`);
    assert.deepEqual(made.sort(), declared.sort());
  });

  for (const later of [
    ["create", "Proxy", "proxy"],
    ["create", "ProxyTarget", "proxy"],
  ] as const) {
    for (const earlier of PROXY_WORKS) {
      it(`made ${earlier.slice(1).join(" ")} before ${later.slice(1).join(" ")}`, () => {
        assertBefore(fixture.account, earlier, later);
      });
    }
  }

  for (const earlier of [...PROXY_WORKS, ...SERVICE_STARTS]) {
    it(`made ${earlier.slice(1).join(" ")} before the service`, () => {
      assertBefore(fixture.account, earlier, ["create", "Service", "service"]);
    });
  }

  it("is the same at a second preview and after a refresh", async () => {
    const unchanged = { same: program.resources.length };
    assert.deepEqual((await stack.preview({ expectNoChanges: true })).changeSummary, unchanged);
    fixture.account.forgetOperations();
    assert.deepEqual((await stack.refresh()).summary.resourceChanges, unchanged);
    const custom = program.resources.filter((resource) => resource.custom).length;
    assert.equal(operationsOf(fixture.account, "read").length, custom);
    assert.equal(fixture.account.operations.length, custom, "a refresh changes nothing");
  });

  it("leaves no secret in the clear in any file of its state and history", async () => {
    assert.deepEqual(await filesWith(REGISTRY_PASSWORD, fixture.engine.folder), []);
    const { deployment } = await stack.exportStack();
    assert.match(JSON.stringify(deployment), new RegExp(REGISTRY_PASSWORD), "the secret is there, encrypted");
  });

  it("would show a secret that is unwrapped", async () => {
    const [wrapped, unwrapped] = ["canary-that-is-wrapped", "canary-that-is-unwrapped"];
    const opened = await fixture.engine.stack("staging", {
      name: "unwrapped",
      program: async () => ({ wrapped: pulumi.secret(wrapped), unwrapped: pulumi.unsecret(pulumi.secret(unwrapped)) }),
    });
    await opened.stack.up();
    assert.deepEqual(await filesWith(wrapped, fixture.engine.folder), []);
    assert.ok((await filesWith(unwrapped, fixture.engine.folder)).length > 1, "in the state and in the history");
  });

  it("is not destroyed, nor any part of it: it holds data, and says so", async () => {
    fixture.account.forgetOperations();
    const { failed, text } = await destroy(stack);
    assert.match(`${failed}${text}`, /Instance.*database.*protect/s);
    assert.deepEqual(operationsOf(fixture.account, "delete"), []);
  });

  it("keeps what must outlast it even where all else is destroyed", async () => {
    const retained = program.resources.filter(({ options }) => options.retainOnDelete);
    assert.ok(retained.length > 0);
    assert.equal((await destroy(stack, { excludeProtected: true })).failed, undefined);
    const deleted = operationsOf(fixture.account, "delete").map(({ urn }) => urn);
    assert.deepEqual(
      deleted.filter((urn) => retained.some((resource) => resource.urn === urn)),
      [],
    );
    assert.ok(deleted.some((urn) => urn.endsWith("ecs/service:Service::service")));
    assert.ok([...fixture.account.standing].some((key) => key.includes("rds/instance:Instance")));
  });
});
