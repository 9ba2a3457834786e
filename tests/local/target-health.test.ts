import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { describe, it } from "mocha";
import { startLoadBalancer } from "../../local/load-balancer.ts";
import { balancers, declared, startTarget } from "./balancer-fixture.ts";

describe("The health of the load balancer's target", () => {
  const { open } = balancers();

  it("answers 503 while no target is registered or its first check has not passed", async () => {
    const target = await startTarget();
    const balancer = await startLoadBalancer({ declared });
    open.push(balancer, target);
    assert.equal(balancer.state, "unused");
    assert.equal((await fetch(balancer.url)).status, 503);
    target.health = [500];
    balancer.register(target.port);
    assert.equal(balancer.state, "initial");
    assert.equal((await fetch(balancer.url)).status, 503);
    target.health = [200];
    await balancer.healthy(5_000);
    assert.equal((await fetch(balancer.url)).status, 200);
  });

  it("takes one passed check for a new target, then the declared thresholds both ways", async () => {
    const target = await startTarget();
    const balancer = await startLoadBalancer({ declared });
    open.push(balancer, target);
    target.health = [503, 200, 500, 200, 500, 500, 200, 200, 500, 200, 200, 200];
    const states: string[] = [];
    for (const state of ["healthy", "unhealthy", "healthy"] as const) {
      if (states.length === 0) balancer.register(target.port);
      await balancer.reaches(state, 5_000);
      states.push(`${state} after ${target.checks}`);
    }
    assert.deepEqual(states, ["healthy after 2", "unhealthy after 6", "healthy after 12"]);
  });

  it("says why a target never became healthy", async () => {
    const target = await startTarget();
    target.health = [404];
    const balancer = await startLoadBalancer({ declared, targetPort: target.port });
    open.push(balancer, target);
    await assert.rejects(balancer.healthy(200), {
      code: "TARGET_NOT_HEALTHY",
      message:
        "the target was not healthy within 200 ms but initial; last failed check: /livez: status 404 instead of 200",
    });
  });

  it("fails a check that is not answered within its time-out", async () => {
    const silent = net.createServer((socket) => socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const balancer = await startLoadBalancer({
      declared: { ...declared, healthCheck: { ...declared.healthCheck, timeoutSeconds: 0.05 } },
      targetPort: (silent.address() as AddressInfo).port,
    });
    open.push(balancer);
    await assert.rejects(balancer.healthy(300), { message: /\/livez: no answer within 0\.05 s/ });
    await balancer.close();
    silent.close();
    await once(silent, "close");
  });
});
