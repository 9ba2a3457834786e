import assert from "node:assert/strict";
import { afterEach, it } from "mocha";
import type { Interference, Operation } from "../../local/engine/account.ts";
import { destroy, type Outcome, preview, up } from "../../local/engine/outcome.ts";
import { evaluate } from "../../local/program.ts";
import { assertBefore, deedsOf, describeEngine, onlyOperation, operationsOf } from "./engine-fixture.ts";
import { childrenWith } from "./process.ts";

/** Fails the making of resources of these types. */
function failing(...types: readonly string[]): Interference {
  return ({ verb, type }) => {
    if (verb === "create" && types.includes(type)) throw new Error(`creating ${type}: InternalFailure`);
  };
}

/** Holds what is asked for until it is let go. */
function holding(which: (operation: Operation) => boolean) {
  let letGo = () => {};
  let began = () => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    began = resolve;
  });
  const interference: Interference = (operation) => {
    if (!which(operation)) return;
    began();
    return released;
  };
  return { interference, begun, letGo };
}

const [PROXY, TARGET, SERVICE] = [
  "aws:rds/proxy:Proxy",
  "aws:rds/proxyTarget:ProxyTarget",
  "aws:ecs/service:Service",
] as const;

describeEngine("A deployment that is cut short, on the real engine", (fixture) => {
  const open = async (name = "staging") => (await fixture.engine.stack("staging", { name })).stack;

  async function deploy(interference?: Interference): Promise<Outcome> {
    fixture.account.forgetOperations();
    fixture.account.interference = interference;
    return up(await open());
  }

  afterEach(() => {
    fixture.account.interference = undefined;
  });

  it("by the proxy, which cannot be made, leaves out what needs it", async () => {
    const { failed, text } = await deploy(failing(PROXY));
    assert.match(`${failed}${text}`, /creating aws:rds\/proxy:Proxy: InternalFailure/);
    onlyOperation(fixture.account, ["create", "Proxy", "proxy"]);
    for (const type of ["ProxyTarget", "ProxyDefaultTargetGroup", "TaskDefinition", "Service"]) {
      assert.deepEqual(operationsOf(fixture.account, "create", type), [], type);
    }
  });

  it("by the target next, makes the proxy and not the service", async () => {
    assert.match(String((await deploy(failing(TARGET))).failed), /ProxyTarget|update failed/);
    assert.equal(onlyOperation(fixture.account, ["create", "Proxy", "proxy"]).failure, undefined);
    assert.notEqual(onlyOperation(fixture.account, ["create", "ProxyTarget", "proxy"]).failure, undefined);
    assert.deepEqual(operationsOf(fixture.account, "create", "Service"), []);
  });

  it("by the service next, makes the target and nothing that stands already", async () => {
    assert.notEqual((await deploy(failing(SERVICE))).failed, undefined);
    assert.equal(onlyOperation(fixture.account, ["create", "ProxyTarget", "proxy"]).failure, undefined);
    assert.deepEqual(operationsOf(fixture.account, "create", "Proxy"), []);
    assert.deepEqual(operationsOf(fixture.account, "delete"), []);
  });

  it("by one Ctrl-C lets what runs come to its end, and makes nothing after it", async () => {
    const service = holding(({ verb, type }) => verb === "create" && type === SERVICE);
    fixture.account.forgetOperations();
    fixture.account.interference = service.interference;
    const controller = new AbortController();
    const outcome = up(await open(), { signal: controller.signal });
    await service.begun;
    controller.abort();
    // The engine says so when it has heard it.
    setTimeout(service.letGo, 500);
    const { failed, text } = await outcome;
    assert.match(`${failed}${text}`, /cancel/i);
    assert.equal(onlyOperation(fixture.account, ["create", "Service", "service"]).failure, undefined);
    assert.deepEqual(operationsOf(fixture.account, "create", "Target", "service"), [], "which needs the service");
  });

  it("is completed by the next one, which makes only what is missing", async () => {
    const { failed } = await deploy();
    assert.equal(failed, undefined);
    const made = deedsOf(fixture.account);
    assert.ok(made.includes("create Target service"));
    const expected = /^create (?:Target service|Policy service-cpu|[A-Za-z]+ observability-|Dashboard observability)/;
    assert.deepEqual(
      made.filter((deed) => !expected.test(deed)),
      [],
    );
    const { stack, resources } = await evaluate("staging");
    const again = await preview(await open(stack), { expectNoChanges: true });
    assert.equal(again.failed, undefined, again.text);
    const { deployment } = await (await open()).exportStack();
    const inState = (deployment.resources as { readonly type: string }[]).filter(
      ({ type }) => !/^pulumi:providers:/.test(type),
    );
    assert.equal(inState.length, resources.length);
  });

  it("by a kill, beside another stack, is told of by the engine, and mended by cancel and refresh", async () => {
    const [other, before] = [await open("other"), fixture.account.standing];
    const cluster = holding(({ verb, type }) => verb === "create" && type === "aws:ecs/cluster:Cluster");
    fixture.account.interference = cluster.interference;
    const outcome = up(other);
    await Promise.race([cluster.begun, outcome]);
    const [pid] = await childrenWith("--stack other");
    assert.ok(pid, "the engine runs");
    process.kill(pid, "SIGKILL");
    cluster.letGo();
    assert.notEqual((await outcome).failed, undefined);
    const locked = await up(other);
    assert.match(String(locked.failed), /currently locked by 1 lock.*pulumi cancel/s);
    await other.cancel();
    const told = await up(other);
    assert.match(`${told.failed}${told.text}`, /pending/);
    await other.refresh({ clearPendingCreates: true });
    fixture.account.forgetOperations();
    assert.equal((await up(other)).failed, undefined);
    for (const key of before) assert.ok(fixture.account.standing.has(key), `${key} was of the first stack`);
  });

  it("is destroyed in the reverse of its order", async () => {
    fixture.account.forgetOperations();
    assert.equal((await destroy(await open())).failed, undefined);
    const { account } = fixture;
    assertBefore(account, ["delete", "Service", "service"], ["delete", "ProxyTarget", "proxy"]);
    assertBefore(account, ["delete", "Service", "service"], ["delete", "RolePolicy", "proxy-connect-service"]);
    assertBefore(account, ["delete", "ProxyTarget", "proxy"], ["delete", "Proxy", "proxy"]);
    assertBefore(account, ["delete", "Proxy", "proxy"], ["delete", "RolePolicy", "proxy-read-secret"]);
    assertBefore(account, ["delete", "Proxy", "proxy"], ["delete", "Instance", "database"]);
    assertBefore(account, ["delete", "Instance", "database"], ["delete", "Key", "database-secret"]);
    assertBefore(account, ["delete", "Subnet", "network-vpc-isolated-1"], ["delete", "Vpc", "network-vpc"]);
  });
});
