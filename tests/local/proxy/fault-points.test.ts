import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "mocha";
import { eventually, isClosed } from "../eventually.ts";
import { type Stage, startStage } from "./fixture.ts";

describe("The fault points of the local proxy, before a database that never answers", () => {
  let silent: Server;
  /** Connections at the database. */
  let dialled: Set<Socket>;
  let stage: Stage;
  beforeEach(async () => {
    dialled = new Set();
    silent = createServer((socket) => {
      dialled.add(socket);
      socket.resume().on("error", () => {});
      socket.once("close", () => dialled.delete(socket));
    });
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    stage = await startStage({ host: "127.0.0.1", port }, "any password", { declared: { borrowTimeoutSeconds: 60 } });
  });
  afterEach(async () => {
    await stage.proxy.close();
    for (const socket of dialled) socket.destroy();
    silent.close();
  });

  it("break off the log-ins that are under way when the database is cut, and begin none until it is mended", async () => {
    const client = stage.client();
    const connecting = client.connect().catch((error: Error) => error);
    // The client's, and that of the proxy's own look at its target.
    await eventually("both are at the database", 5_000, () => dialled.size === 2);
    const { processIds, undo } = stage.proxy.faultPoints.cutDatabase();
    assert.deepEqual(processIds, []);
    await eventually("both are gone", 2_000, () => dialled.size === 0);
    const failed = () => stage.proxy.metrics().DatabaseConnectionsSetupFailed;
    await eventually("others were tried in vain", 2_000, () => failed() >= 3);
    assert.equal(dialled.size, 0);
    const mended = undo();
    await eventually("they are at the database again", 2_000, () => dialled.size >= 2);
    await stage.proxy.close();
    await mended;
    assert.ok((await connecting) instanceof Error);
  });

  it("do not keep the proxy from closing at once, nor open its port afterwards", async () => {
    const { faultPoints, port } = stage.proxy;
    const open = await faultPoints.refuseConnections();
    await open();
    const socket = await stage.dial();
    const gone = once(socket, "close");
    faultPoints.silence();
    faultPoints.delayTraffic(30_000);
    const reopen = await faultPoints.refuseConnections();
    const asked = performance.now();
    await stage.proxy.close();
    assert.ok(performance.now() - asked < 2_000);
    await gone;
    await reopen();
    assert.equal(await isClosed(port), true);
  });
});
