import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "mocha";
import type { FaultRequest } from "../../../local/faults.ts";
import { USER } from "../environment-mistakes.ts";
import { type FaultStage, openConnections, startFaultStage } from "./stage.ts";

const IAM_FAILED = `28000: The IAM authentication failed for the role ${USER}. Check the IAM token for this role and try again.`;

/** Faults that let the proxy decide otherwise, and what a new client meets. */
const CASES: readonly { readonly fault: FaultRequest; readonly met: string | RegExp; readonly diagnosis?: RegExp }[] = [
  {
    fault: { fault: "throttle-IAM" },
    met: "28000: The IAM authentication failed because of too many competing requests.",
    diagnosis: /throttles IAM/,
  },
  { fault: { fault: "revoke-grant" }, met: IAM_FAILED, diagnosis: /^NOT_ALLOWED: / },
  {
    fault: { fault: "stop-secret-access" },
    met: `28000: This RDS proxy has no credentials for the role ${USER}. Check the credentials for this role and try again.`,
    diagnosis: /may not read/,
  },
  { fault: { fault: "expire-credentials" }, met: IAM_FAILED, diagnosis: /^UNKNOWN_ACCESS_KEY: / },
  { fault: { fault: "clock-skew" }, met: IAM_FAILED, diagnosis: /^EXPIRED: The token was signed 1(199|200|201) s ago/ },
  { fault: { fault: "clock-skew", seconds: 901 }, met: IAM_FAILED, diagnosis: /^EXPIRED: / },
  { fault: { fault: "clock-skew", seconds: -303 }, met: IAM_FAILED, diagnosis: /^DATE: .* s in the future/ },
  // OpenSSL's text, to which Node adds advice. The proxy sees only a client that goes: by TLS 1.3 the handshake is over for it then.
  {
    fault: { fault: "replace-CA" },
    met: /^UNABLE_TO_VERIFY_LEAF_SIGNATURE: unable to verify the first certificate/,
  },
];

describe("A fault in what the proxy decides", function () {
  this.timeout(30_000);
  let stage: FaultStage;
  before(async () => {
    stage = await startFaultStage();
  });
  afterEach(() => stage.calm());
  after(() => stage?.stop());

  for (const { fault, met, diagnosis } of CASES) {
    it(`${JSON.stringify(fault)}: meets new clients while it lasts and none after, and spares those that stand`, async () => {
      const told = stage.refusals.length;
      const standing = await stage.connect();
      const running = await stage.faults.start({ ...fault, durationMs: 60_000 });
      const outcome = await stage.attempt();
      if (met instanceof RegExp) assert.match(outcome, met);
      else assert.equal(outcome, met);
      const refused = stage.refusals.slice(told);
      assert.equal(refused.length, diagnosis ? 1 : 0);
      if (diagnosis) assert.match(refused[0]?.diagnosis ?? "", diagnosis);
      assert.equal(await standing.ask("select 2"), 2);

      await stage.faults.clear(running.id);
      assert.equal(await stage.attempt(), "served");

      const { id } = await stage.faults.start({ ...fault, durationMs: 1 });
      await stage.faults.ended(id);
      assert.deepEqual(stage.faults.list(), []);
      assert.equal(await stage.attempt(), "served");
      assert.equal(await standing.ask("select 3"), 3);
      assert.deepEqual(standing.errors, []);
      assert.equal(stage.refusals.length, told + refused.length);
    });
  }

  it("clock-skew within the tolerance of tokens changes nothing, in either direction", async () => {
    for (const seconds of [895, -295]) {
      const { id } = await stage.faults.start({ fault: "clock-skew", seconds });
      assert.equal(await stage.attempt(), "served");
      await stage.faults.clear(id);
    }
  });

  it("several together are met in the proxy's order, and each ends by itself", async () => {
    const secret = await stage.faults.start({ fault: "stop-secret-access" });
    const throttle = await stage.faults.start({ fault: "throttle-IAM" });
    assert.match(await stage.attempt(), /has no credentials/);
    await stage.faults.clear(secret.id);
    assert.match(await stage.attempt(), /too many competing requests/);
    await stage.faults.clear(throttle.id);
    assert.equal(await stage.attempt(), "served");
  });

  it("revoke-grant and stop-secret-access are not hidden by an answer that the proxy remembers", async () => {
    assert.equal(await stage.attempt(), "served");
    await stage.faults.start({ fault: "revoke-grant" });
    assert.match(await stage.attempt(), /IAM authentication failed/);
    assert.deepEqual(openConnections(stage.environment)[1], 0);
  });
});
