import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { FAULT_NAMES } from "../../local/faults/catalogue.ts";
import type { Surroundings } from "../../local/faults/surroundings.ts";
import { createFaults, type FaultError } from "../../local/faults.ts";
import { idleSurroundings } from "./faults/surroundings.ts";

/** Faults whose time passes only when a test says so. */
function stage(changes: Partial<Surroundings> = {}) {
  const deeds: string[] = [];
  const told: string[] = [];
  const waits: { readonly ms: number; readonly pass: () => void }[] = [];
  let time = 1_000_000;
  const faults = createFaults({
    surroundings: { ...idleSurroundings(deeds), ...changes },
    log: (message) => told.push(message),
    now: () => time,
    delay: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        waits.push({ ms, pass: resolve });
        const abort = () => reject(signal.reason);
        if (signal.aborted) abort();
        signal.addEventListener("abort", abort, { once: true });
      }),
  });
  const advance = (ms: number) => {
    time += ms;
  };
  return { faults, deeds, told, waits, advance };
}

describe("Faults on demand", () => {
  it("say what they are, when they end, and how much of that is left", async () => {
    const { faults, advance } = stage();
    const running = await faults.start({ fault: "latency", durationMs: 5_000, ms: 40 });
    assert.match(running.id, /^[0-9a-f-]{36}$/);
    const { id } = running;
    const described = {
      id,
      fault: "latency",
      startedAt: 1_000_000,
      endsAt: 1_005_000,
      parameters: { durationMs: 5_000, ms: 40 },
    };
    assert.deepEqual(running, described);
    advance(4_000);
    assert.deepEqual(faults.list(), [{ ...described, remainingMs: 1_000 }]);
    advance(4_000);
    assert.deepEqual(faults.list(), [{ ...described, remainingMs: 0 }]);
    await faults.clear();
    assert.deepEqual(faults.list(), []);
  });

  it("end by themselves when their time has passed, each for itself", async () => {
    const { faults, deeds, waits } = stage();
    const first = await faults.start({ fault: "throttle-IAM", durationMs: 7 });
    const second = await faults.start({ fault: "failover", seconds: 3 });
    assert.deepEqual(
      waits.map(({ ms }) => ms),
      [7, 3_000],
    );
    assert.deepEqual(deeds, ["throttleIam", "cutDatabase", "terminate 7 8"]);
    waits[0]?.pass();
    await faults.ended(first.id);
    assert.deepEqual(
      faults.list().map(({ id }) => id),
      [second.id],
    );
    assert.deepEqual(deeds.slice(3), ["undo throttleIam"]);
    waits[1]?.pass();
    await faults.ended(second.id);
    assert.deepEqual(deeds.slice(4), ["undo cutDatabase"]);
    assert.deepEqual(faults.list(), []);
  });

  for (const fault of FAULT_NAMES) {
    it(`undo ${fault} once when it is cleared, and let it begin again`, async () => {
      const { faults, deeds } = stage();
      for (let round = 0; round < 2; round += 1) {
        await faults.start({ fault });
        await Promise.all([faults.clear(), faults.clear()]);
        assert.deepEqual(faults.list(), []);
      }
      const begun = deeds.filter((deed) => !deed.startsWith("undo ") && !deed.startsWith("terminate"));
      const undone = deeds.filter((deed) => deed.startsWith("undo "));
      const hasUndo = !["drop-every-connection", "restart-database"].includes(fault);
      assert.equal(begun.length, 2);
      assert.deepEqual(undone, hasUndo ? begun.map((deed) => `undo ${deed}`) : []);
    });
  }

  it("hand their parameters on in the units of what they act on", async () => {
    const { faults, deeds } = stage();
    await faults.start({ fault: "clock-skew", seconds: -90 });
    await faults.start({ fault: "latency", ms: 7 });
    await faults.start({ fault: "slow-credentials", ms: 8 });
    await faults.start({ fault: "widen-rotation-window", windowMs: 9 });
    await faults.start({ fault: "restart-database", downMs: 10 });
    await faults.start({ fault: "replace-CA" });
    assert.deepEqual(deeds, [
      "skewClock -90000",
      "delayTraffic 7",
      "delayAnswers 8",
      "widenWindow 9",
      "restart 10",
      "presentCertificate foreign",
    ]);
  });

  it("do not run twice at a time: the second is refused, also while the first still begins", async () => {
    const { faults, deeds } = stage();
    const first = faults.start({ fault: "replace-CA" });
    await assert.rejects(faults.start({ fault: "replace-CA" }), {
      name: "FaultError",
      code: "FAULT_RUNNING",
      message: "replace-CA is running already: wait until it ends, or clear it and start it anew.",
    });
    await first;
    await assert.rejects(faults.start({ fault: "replace-CA", durationMs: 5 }), { code: "FAULT_RUNNING" });
    assert.deepEqual(deeds, ["presentCertificate foreign"]);
  });

  it("are over at once where they only strike, so that they can strike again", async () => {
    const { faults, deeds } = stage();
    for (let round = 0; round < 3; round += 1) {
      await faults.start({ fault: "drop-every-connection" });
      assert.deepEqual(faults.list(), []);
    }
    assert.deepEqual(deeds, ["resetClients", "resetClients", "resetClients"]);
  });

  it("are cleared one by one by their ids; an id under which none runs is refused", async () => {
    const { faults, deeds } = stage();
    const kept = await faults.start({ fault: "throttle-IAM" });
    const ended = await faults.start({ fault: "revoke-grant" });
    await faults.clear(ended.id);
    assert.deepEqual(deeds, ["throttleIam", "revokeGrant", "undo revokeGrant"]);
    assert.deepEqual(
      faults.list().map(({ id }) => id),
      [kept.id],
    );
    await assert.rejects(faults.clear(ended.id), { code: "FAULT_NOT_FOUND" });
    await faults.ended(ended.id);
  });

  it("that are cleared while they begin are undone before that is answered", async () => {
    const issuing = Promise.withResolvers<{ key: string; cert: string }>();
    const { faults, deeds } = stage({ issueForeignCertificate: () => issuing.promise });
    const begun = faults.start({ fault: "replace-CA" });
    const cleared = faults.clear();
    assert.deepEqual(faults.list(), []);
    issuing.resolve({ key: "key", cert: "late" });
    await cleared;
    assert.equal((await begun).fault, "replace-CA");
    assert.deepEqual(deeds, ["presentCertificate late", "undo presentCertificate late"]);
  });

  it("that cannot begin say why, leave nothing, and can be tried again", async () => {
    const cause = new Error("no entropy");
    const { faults, told } = stage({
      issueForeignCertificate: () => {
        throw cause;
      },
    });
    for (let round = 0; round < 2; round += 1) {
      await assert.rejects(faults.start({ fault: "replace-CA" }), (error: FaultError) => {
        assert.equal(error.code, "FAULT_FAILED");
        assert.equal(error.message, "replace-CA could not be started: no entropy");
        assert.equal(error.cause, cause);
        return true;
      });
      assert.deepEqual(faults.list(), []);
    }
    assert.deepEqual(told, []);
  });

  it("open the way to the database again when a failover fails half-way", async () => {
    const deeds: string[] = [];
    const idle = idleSurroundings(deeds);
    const terminate = async () => {
      throw new Error("permission denied");
    };
    const { faults } = stage({ proxy: idle.proxy, database: { ...idle.database, terminate } });
    await assert.rejects(faults.start({ fault: "failover" }), { code: "FAULT_FAILED" });
    assert.deepEqual(deeds, ["cutDatabase", "undo cutDatabase"]);
  });

  it("that cannot be undone say so to whoever clears them, and in the log", async () => {
    const restart = async () => {
      throw new Error("the port is taken");
    };
    const { faults, told } = stage({ database: { ...idleSurroundings().database, restart } });
    await faults.start({ fault: "restart-database", downMs: 5 });
    await faults.start({ fault: "latency" });
    const message = "restart-database could not be undone: the port is taken";
    await assert.rejects(faults.clear(), { code: "FAULT_NOT_ENDED", message });
    assert.deepEqual(faults.list(), []);
    assert.equal(told.filter((line) => line === message).length, 1);
    assert.ok(told.includes("fault latency has ended"));
    await faults.clear();
  });

  it("are all ended by close, after which none begins", async () => {
    const { faults, deeds } = stage();
    await faults.start({ fault: "latency" });
    await faults.close();
    assert.deepEqual(deeds, ["delayTraffic 100", "undo delayTraffic 100"]);
    await assert.rejects(faults.start({ fault: "latency" }), { code: "CLOSED" });
    await faults.close();
  });
});
