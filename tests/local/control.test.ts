import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type ControlServer, startControl } from "../../local/control.ts";
import type { ControlPlane } from "../../local/control-plane.ts";
import { createFaults } from "../../local/faults.ts";
import { createManagedSecret, type ManagedSecret } from "../../local/secret.ts";
import { idleSurroundings } from "./faults/surroundings.ts";

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly error?: { readonly code: string; readonly message: string };
  };
}

describe("The control interface", () => {
  /** Emits a function that ends the window, whenever a rotation has opened one. */
  let windows: EventEmitter<{ opened: [end: () => void] }>;
  let windowsMs: number[];
  let passwords: string[];
  let secret: ManagedSecret;
  let failure: string | undefined;
  let rotationFailure: Error | undefined;
  let control: ControlServer;

  beforeEach(async () => {
    windows = new EventEmitter();
    windowsMs = [];
    passwords = [];
    failure = undefined;
    rotationFailure = undefined;
    secret = createManagedSecret({
      arn: "arn:aws:secretsmanager:eu-west-2:123456789012:secret:rds!db-test",
      username: "service_owner",
      delay: (windowMs) =>
        new Promise<void>((end) => {
          windowsMs.push(windowMs);
          windows.emit("opened", end);
        }),
    });
    secret.activate(async (_user, password) => {
      if (rotationFailure) throw rotationFailure;
      passwords.push(password);
    });
    const plane: ControlPlane = {
      rotate: (options) => secret.rotate(options),
      secretStatus: () => secret.secretStatus(),
      metrics: () => ({ ClientConnections: 3, DatabaseConnections: 2 }),
      faults: createFaults({ surroundings: idleSurroundings(), log: assert.fail }),
    };
    control = await startControl(plane, () => failure);
  });
  afterEach(() => control.close());

  async function ask(path: string, init?: RequestInit): Promise<Answer> {
    const response = await fetch(`${control.url}${path}`, { signal: AbortSignal.timeout(5_000), ...init });
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  }

  function rotate(body?: string, type = "application/json"): Promise<Answer> {
    return ask("/rotate", { method: "POST", ...(body !== undefined && { body, headers: { "content-type": type } }) });
  }

  const currentVersion = (): string | undefined => secret.version("AWSCURRENT")?.versionId;

  it("listens on the loopback address only", () => {
    assert.match(control.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  for (const { given, body, windowMs } of [
    { given: "no body", body: undefined, windowMs: 2_000 },
    { given: "an empty object", body: "{}", windowMs: 2_000 },
    { given: "a window of its own", body: '{"windowMs": 750}', windowMs: 750 },
    { given: "no window at all", body: '{"windowMs": 0}', windowMs: 0 },
  ]) {
    it(`rotates with ${given}, and answers only when the new version is AWSCURRENT`, async () => {
      const before = currentVersion();
      const opened = once(windows, "opened", { signal: AbortSignal.timeout(5_000) });
      let answered = false;
      const answer = rotate(body).finally(() => {
        answered = true;
      });
      const [endWindow] = await opened;
      assert.equal(passwords.length, 1);
      // Another request there and back: had the rotation been answered, that would have arrived by now.
      assert.equal((await ask("/healthz")).body.secret, "rotating");
      assert.equal(answered, false);
      endWindow();
      const { status, body: told } = await answer;
      assert.equal(status, 200);
      assert.deepEqual(told, { versionId: currentVersion(), windowMs });
      assert.notEqual(currentVersion(), before);
      assert.deepEqual(windowsMs, [windowMs]);
    });
  }

  it("refuses a second rotation while one runs, and lets the first end well", async () => {
    const opened = once(windows, "opened", { signal: AbortSignal.timeout(5_000) });
    const first = rotate();
    const [endWindow] = await opened;
    const second = await rotate();
    assert.equal(second.status, 409);
    assert.equal(second.body.error?.code, "ROTATION_IN_PROGRESS");
    endWindow();
    assert.equal((await first).status, 200);
    assert.equal(passwords.length, 1);
  });

  for (const { given, body, allowed } of [
    { given: "a negative window", body: '{"windowMs": -1}', allowed: "from 0 to 60000" },
    { given: "a window of more than a minute", body: '{"windowMs": 60001}', allowed: "from 0 to 60000" },
    { given: "a window in words", body: '{"windowMs": "750"}', allowed: "from 0 to 60000" },
    { given: "null for a window", body: '{"windowMs": null}', allowed: "from 0 to 60000" },
    { given: "a misspelt window", body: '{"windowMS": 750}', allowed: '{"windowMs": n}' },
    { given: "a list", body: "[]", allowed: '{"windowMs": n}' },
    { given: "a number", body: "750", allowed: '{"windowMs": n}' },
    { given: "text that is no JSON", body: "{windowMs: 750}", allowed: '{"windowMs": n}' },
    { given: "an empty body that calls itself JSON", body: "", allowed: '{"windowMs": n}' },
  ]) {
    it(`refuses ${given} with 400, says what is allowed, and rotates nothing`, async () => {
      const { status, body: told } = await rotate(body);
      assert.equal(status, 400);
      assert.ok(told.error?.message.includes(allowed), told.error?.message);
      assert.deepEqual(Object.keys(told), ["error"]);
      assert.deepEqual(passwords, []);
    });
  }

  it("refuses a body that is not JSON by its type with 415", async () => {
    const { status, body } = await rotate("windowMs=750", "application/x-www-form-urlencoded");
    assert.equal(status, 415);
    assert.match(body.error?.message ?? "", /application\/json/);
    assert.deepEqual(passwords, []);
  });

  it("says that a rotation failed with 500 and the secret's code, and shows no password", async () => {
    rotationFailure = new Error("the database said no");
    const { status, body } = await rotate();
    assert.equal(status, 500);
    assert.equal(body.error?.code, "ROTATION_FAILED");
    assert.equal((await ask("/healthz")).body.secret, "impaired");
  });

  it("answers 503 once the environment stops", async () => {
    await secret.close();
    const { status, body } = await rotate();
    assert.equal(status, 503);
    assert.equal(body.error?.code, "CLOSED");
  });

  it("gives the metrics by their CloudWatch names", async () => {
    assert.deepEqual(await ask("/metrics"), { status: 200, body: { ClientConnections: 3, DatabaseConnections: 2 } });
  });

  it("is healthy while nothing has failed, and says what has", async () => {
    assert.deepEqual(await ask("/healthz"), { status: 200, body: { status: "ok", secret: "active" } });
    failure = "PostgreSQL ended (SIGKILL)";
    assert.deepEqual(await ask("/healthz"), {
      status: 503,
      body: { error: { code: "ENVIRONMENT_FAILED", message: failure } },
    });
  });

  for (const [method, path] of [
    ["GET", "/"],
    ["GET", "/rotate"],
    ["POST", "/metrics"],
    ["PUT", "/faults"],
    ["GET", "/faults/1"],
  ] as const) {
    it(`answers ${method} ${path} with 404 and what there is`, async () => {
      const { status, body } = await ask(path, { method });
      assert.equal(status, 404);
      assert.deepEqual(body.error, {
        code: "NOT_FOUND",
        message: `${method} ${path}; there are POST /rotate, GET /metrics, GET /healthz, POST /faults, GET /faults, DELETE /faults, DELETE /faults/:id`,
      });
    });
  }

  it("closes while a rotation runs", async () => {
    const opened = once(windows, "opened", { signal: AbortSignal.timeout(5_000) });
    const answer = rotate().then(
      () => "answered",
      () => "cut off",
    );
    const [endWindow] = await opened;
    const closed = control.close();
    assert.equal(await answer, "cut off");
    endWindow();
    await closed;
  });
});
