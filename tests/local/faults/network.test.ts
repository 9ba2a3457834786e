import assert from "node:assert/strict";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "mocha";
import { eventually, isClosed } from "../eventually.ts";
import { type FaultStage, openConnections, startFaultStage } from "./stage.ts";

describe("A fault of the network before the proxy", function () {
  this.timeout(30_000);
  let stage: FaultStage;
  before(async () => {
    stage = await startFaultStage();
  });
  afterEach(() => stage.calm());
  after(() => stage?.stop());

  /** What a promise gives, or "pending" when it has not within a while that suffices by far without a fault. */
  const soon = (answer: Promise<unknown>): Promise<unknown> => Promise.race([answer, delay(150, "pending")]);

  describe("refuse-connections", () => {
    it("closes the port for new connections, leaves the others alone, and listens on the same port again", async () => {
      const { port } = stage.environment.proxy;
      const standing = await stage.connect();
      await stage.faults.start({ fault: "refuse-connections" });
      assert.equal(await stage.attempt(), `ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:${port}`);
      assert.equal(await standing.ask("select 2"), 2);
      assert.deepEqual(openConnections(stage.environment), [1, 1]);
      await stage.faults.clear();
      assert.equal(stage.environment.proxy.port, port);
      assert.equal(await stage.attempt(), "served");
      assert.equal(await standing.ask("select 3"), 3);
      assert.deepEqual(standing.errors, []);
    });

    it("passes by itself", async () => {
      const { id } = await stage.faults.start({ fault: "refuse-connections", durationMs: 1 });
      await stage.faults.ended(id);
      assert.equal(await stage.attempt(), "served");
    });

    it("keeps the port closed until a restart of the proxy is over too, whichever ends first", async () => {
      const { port } = stage.environment.proxy;
      const first = await stage.faults.start({ fault: "refuse-connections" });
      const second = await stage.faults.start({ fault: "restart-proxy", downMs: 60_000 });
      await stage.faults.clear(first.id);
      assert.equal(await isClosed(port), true);
      const third = await stage.faults.start({ fault: "refuse-connections" });
      await stage.faults.clear(second.id);
      assert.equal(await isClosed(port), true);
      await stage.faults.clear(third.id);
      assert.equal(await isClosed(port), false);
    });
  });

  describe("black-hole", () => {
    it("lets nothing through in either direction and closes nothing; afterwards what was held back arrives", async () => {
      const asking = await stage.connect();
      const answered = await stage.connect();
      // Its answer is on the way when the hole opens.
      const late = answered.ask("select 'late' from pg_sleep(0.2)");
      const { id } = await stage.faults.start({ fault: "black-hole" });
      const held = asking.ask("select 'held'");
      assert.equal(await soon(held), "pending");
      assert.equal(await soon(late), "pending");
      assert.deepEqual(openConnections(stage.environment), [2, 2]);
      assert.deepEqual([asking.errors, answered.errors], [[], []]);
      await stage.faults.clear(id);
      assert.equal(await held, "held");
      assert.equal(await late, "late");
      assert.equal(await asking.ask("select 'again'"), "again");
    });

    it("accepts new connections and says nothing to them; whoever gave up meanwhile is noticed afterwards", async () => {
      await stage.faults.start({ fault: "black-hole" });
      assert.equal(await stage.attempt(200), "timeout expired");
      const socket = connect(stage.environment.proxy.port, "127.0.0.1");
      const heard: Buffer[] = [];
      socket.on("data", (bytes) => heard.push(bytes));
      // SSLRequest of the PostgreSQL protocol.
      socket.write(Buffer.from("0000000804d2162f", "hex"));
      await delay(100);
      assert.deepEqual(heard, []);
      assert.equal(openConnections(stage.environment)[0], 2);
      await stage.faults.clear();
      await eventually("the request for TLS is answered", 2_000, () => Buffer.concat(heard).toString() === "S");
      socket.destroy();
      await eventually("both are noticed to have gone", 2_000, () => openConnections(stage.environment)[0] === 0);
    });

    it("serves whoever waited long enough, and passes by itself", async () => {
      const running = await stage.faults.start({ fault: "black-hole", durationMs: 200 });
      assert.equal(await stage.attempt(), "served");
      assert.ok(Date.now() >= running.endsAt);
      assert.deepEqual(stage.faults.list(), []);
    });

    it("keeps the close of a connection from its client as well", async () => {
      const standing = await stage.connect();
      const closed = new Promise<void>((resolve) => standing.client.once("end", resolve));
      const hole = await stage.faults.start({ fault: "black-hole" });
      await stage.faults.start({ fault: "drop-every-connection" });
      assert.equal(await soon(closed), "pending");
      await stage.faults.clear(hole.id);
      await closed;
    });
  });

  describe("latency", () => {
    it("takes its milliseconds in each direction, and changes nothing that is said", async () => {
      const standing = await stage.connect();
      await stage.faults.start({ fault: "latency", ms: 30 });
      const asked = performance.now();
      assert.equal(await standing.ask("select 5"), 5);
      const tookMs = performance.now() - asked;
      assert.ok(tookMs >= 59 && tookMs < 400, `${tookMs} ms`);
      assert.equal(await stage.attempt(), "served");
      const { rows } = await standing.client.query("select repeat('x', 1000) as x from generate_series(1, 5000)");
      assert.equal(rows.length, 5_000);
      assert.ok(rows.every(({ x }) => x.length === 1_000));
      await stage.faults.clear();
      assert.equal(await standing.ask("select 6"), 6);
    });

    it("delays what is large about as long as what is small", async () => {
      const standing = await stage.connect();
      await stage.faults.start({ fault: "latency", ms: 50 });
      const text = "y".repeat(150_000);
      const asked = performance.now();
      const { rows } = await standing.client.query("select $1::text as y", [text]);
      const tookMs = performance.now() - asked;
      assert.equal(rows[0].y, text);
      assert.ok(tookMs >= 99 && tookMs < 500, `${tookMs} ms`);
    });

    it("tells a client why it is refused, however late", async () => {
      await stage.faults.start({ fault: "latency", ms: 40 });
      await stage.faults.start({ fault: "throttle-IAM" });
      assert.match(await stage.attempt(), /too many competing requests/);
    });

    it("passes by itself, and what is under way then arrives at once", async () => {
      const standing = await stage.connect();
      const { id } = await stage.faults.start({ fault: "latency", ms: 30_000, durationMs: 100 });
      assert.equal(await standing.ask("select 7"), 7);
      await stage.faults.ended(id);
      assert.equal(await stage.attempt(), "served");
    });
  });

  describe("drop-every-connection", () => {
    it("resets every client once, in the middle of a result too, and serves the next", async () => {
      const idle = await stage.connect();
      const busy = await stage.connect();
      // Short: its backend notices only at the end of the statement that nobody waits for it.
      const inFlight = busy.ask("select pg_sleep(0.5)");
      const running = await stage.faults.start({ fault: "drop-every-connection" });
      assert.equal(await inFlight, "read ECONNRESET");
      assert.match(String(await idle.ask("select 1")), /ECONNRESET|not queryable|terminated/);
      assert.equal((idle.errors[0] as NodeJS.ErrnoException).code, "ECONNRESET");
      assert.equal(running.endsAt, running.startedAt);
      assert.deepEqual(stage.faults.list(), []);
      await stage.faults.start({ fault: "drop-every-connection" });
      assert.equal(await stage.attempt(), "served");
    });
  });

  describe("restart-proxy", () => {
    it("resets every client, refuses connections while it is down, and comes back on the same port", async () => {
      const standing = await stage.connect();
      const inFlight = standing.ask("select pg_sleep(30)");
      const { id } = await stage.faults.start({ fault: "restart-proxy", downMs: 60_000 });
      assert.equal(await inFlight, "read ECONNRESET");
      await eventually("no connection is left", 2_000, () => openConnections(stage.environment).join() === "0,0");
      assert.match(await stage.attempt(), /^ECONNREFUSED/);
      await stage.faults.clear(id);
      assert.equal(await stage.attempt(), "served");
    });

    it("takes no longer than it is told to", async () => {
      const { id } = await stage.faults.start({ fault: "restart-proxy" });
      await stage.faults.ended(id);
      assert.equal(await stage.attempt(), "served");
    });
  });
});

describe("The end of an environment", () => {
  it("undoes its faults, a black hole under a statement among them, and takes no time for it", async () => {
    const stage = await startFaultStage();
    const standing = await stage.connect();
    await stage.faults.start({ fault: "black-hole" });
    await stage.faults.start({ fault: "slow-credentials", ms: 600_000 });
    await stage.faults.start({ fault: "failover", seconds: 600 });
    const waiting = standing.ask("select 1");
    const asked = performance.now();
    await stage.stop();
    assert.ok(performance.now() - asked < 5_000);
    assert.match(String(await waiting), /terminated/);
    assert.deepEqual(stage.faults.list(), []);
    await assert.rejects(stage.faults.start({ fault: "latency" }), { code: "CLOSED" });
  });
});
