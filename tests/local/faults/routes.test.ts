import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type ControlServer, startControl } from "../../../local/control.ts";
import type { ControlPlane } from "../../../local/control-plane.ts";
import { FAULT_NAMES } from "../../../local/faults/catalogue.ts";
import type { Surroundings } from "../../../local/faults/surroundings.ts";
import { createFaults, type OwnedFaults } from "../../../local/faults.ts";
import { idleSurroundings } from "./surroundings.ts";

interface Answer {
  readonly status: number;
  /** Undefined when there was none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

describe("The control interface of faults", () => {
  let deeds: string[];
  let database: Surroundings["database"];
  let faults: OwnedFaults;
  let control: ControlServer;

  beforeEach(async () => {
    deeds = [];
    const surroundings = idleSurroundings(deeds);
    database = surroundings.database;
    const restart: typeof database.restart = (options) => database.restart(options);
    faults = createFaults({ surroundings: { ...surroundings, database: { ...database, restart } }, log: () => {} });
    const unasked = () => assert.fail("nobody asks for this here");
    const plane: ControlPlane = { rotate: unasked, secretStatus: unasked, metrics: unasked, faults };
    control = await startControl(plane, () => undefined);
  });
  afterEach(async () => {
    await control.close();
    await faults.close();
  });

  async function ask(method: string, path: string, body?: string, type = "application/json"): Promise<Answer> {
    const headers = body === undefined ? {} : { "content-type": type };
    const signal = AbortSignal.timeout(5_000);
    const response = await fetch(`${control.url}${path}`, {
      method,
      headers,
      signal,
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  const start = (fault: object): Promise<Answer> => ask("POST", "/faults", JSON.stringify(fault));

  it("answers 201 with the fault that runs, lists it with what is left, and ends it by its id", async () => {
    const before = Date.now();
    const { status, body } = await start({ fault: "latency", durationMs: 60_000, ms: 40 });
    assert.equal(status, 201);
    assert.deepEqual(Object.keys(body ?? {}), ["id", "fault", "startedAt", "endsAt", "parameters"]);
    const { id, startedAt, endsAt, parameters } = body as { id: string } & Record<string, number>;
    assert.deepEqual(parameters, { durationMs: 60_000, ms: 40 });
    assert.ok(Number(startedAt) >= before && Number(startedAt) <= Date.now());
    assert.equal(Number(endsAt) - Number(startedAt), 60_000);

    const listed = await ask("GET", "/faults");
    assert.equal(listed.status, 200);
    const [{ remainingMs, ...running }] = (listed.body as { faults: [Record<string, unknown>] }).faults;
    assert.deepEqual(running, body);
    assert.ok(Number(remainingMs) > 50_000 && Number(remainingMs) <= 60_000);

    assert.deepEqual(await ask("DELETE", `/faults/${id}`), { status: 204, body: undefined });
    assert.deepEqual(deeds, ["delayTraffic 40", "undo delayTraffic 40"]);
    assert.deepEqual(await ask("GET", "/faults"), { status: 200, body: { faults: [] } });
    const again = await ask("DELETE", `/faults/${id}`);
    assert.equal(again.status, 404);
    assert.deepEqual(again.body, { error: { code: "FAULT_NOT_FOUND", message: `No fault runs under the id ${id}.` } });
  });

  it("ends all that run, and answers only when everything is as before", async () => {
    const restarted = Promise.withResolvers<void>();
    database = { ...database, restart: () => restarted.promise };
    await start({ fault: "throttle-IAM" });
    await start({ fault: "restart-database" });
    let answered = false;
    const answer = ask("DELETE", "/faults").finally(() => {
      answered = true;
    });
    // Another request there and back: had the first been answered, that would have arrived by now.
    while ((await listedNames()).length > 1);
    assert.equal(answered, false);
    restarted.resolve();
    assert.equal((await answer).status, 204);
    assert.deepEqual(await listedNames(), []);
    assert.equal((await ask("DELETE", "/faults")).status, 204);
  });

  async function listedNames(): Promise<readonly unknown[]> {
    const { body } = await ask("GET", "/faults");
    return (body as { faults: readonly { fault: string }[] }).faults.map(({ fault }) => fault);
  }

  it("refuses a fault that runs already with 409", async () => {
    await start({ fault: "black-hole" });
    const { status, body } = await start({ fault: "black-hole" });
    assert.equal(status, 409);
    assert.deepEqual(Object.keys(body ?? {}), ["error"]);
    assert.deepEqual(deeds, ["silence"]);
  });

  it("says with 500 why a fault could not be undone", async () => {
    database = { ...database, restart: () => Promise.reject(new Error("the port is taken")) };
    await start({ fault: "restart-database", downMs: 60_000 });
    const { status, body } = await ask("DELETE", "/faults");
    assert.equal(status, 500);
    const message = "restart-database could not be undone: the port is taken";
    assert.deepEqual(body, { error: { code: "FAULT_NOT_ENDED", message } });
  });

  for (const [given, body, status, said] of [
    [
      "an unknown fault",
      '{"fault": "earthquake"}',
      400,
      /^fault is "earthquake"; allowed: refuse-connections, black-hole/,
    ],
    [
      "two mistakes",
      '{"fault": "latency", "ms": -1, "seconds": 1}',
      400,
      /"seconds" is no parameter.*; ms is -1; allowed/,
    ],
    ["a list", "[]", 400, /asked for by an object such as/],
    ["nothing", undefined, 400, /asked for by an object such as/],
    ["an empty body", "", 400, /POST \/faults takes application\/json such as/],
    ["text that is no JSON", "{fault: 1}", 400, /POST \/faults takes application\/json such as/],
    ["a poisoned object", '{"fault": "latency", "__proto__": {"ms": 1}}', 400, /POST \/faults takes application\/json/],
  ] as const) {
    it(`refuses ${given} with ${status} and every fault with its parameters, and starts nothing`, async () => {
      const answer = await ask("POST", "/faults", body);
      assert.equal(answer.status, status);
      const { error, allowed } = answer.body as { error: { message: string }; allowed: Record<string, object> };
      assert.match(error.message, said);
      assert.deepEqual(Object.keys(allowed), FAULT_NAMES);
      assert.deepEqual(allowed.failover, {
        seconds: { unit: "s", default: 60, min: 0.1, max: 3_600, meaning: "how long it lasts" },
      });
      assert.deepEqual(deeds, []);
      assert.deepEqual(await listedNames(), []);
    });
  }

  it("refuses a body that is not JSON by its type with 415, and says what is taken", async () => {
    const { status, body } = await ask("POST", "/faults", "fault=latency", "application/x-www-form-urlencoded");
    assert.equal(status, 415);
    assert.match((body as { error: { message: string } }).error.message, /POST \/faults takes application\/json/);
    assert.deepEqual(deeds, []);
  });
});
