import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createManagedSecret, type ManagedSecret, randomPassword } from "../../local/secret.ts";

const arn = "arn:aws:secretsmanager:eu-west-2:111122223333:secret:rds!db-0a1b2c3d-AbCdEf";

/** A secret whose clock and windows the test moves, and the password that its database would have. */
function managedSecret() {
  let time = 1_000;
  const steps: string[] = [];
  const windows: { readonly ms: number; readonly end: () => void }[] = [];
  const database = { password: "", failure: undefined as Error | undefined };
  const secret: ManagedSecret = createManagedSecret({
    arn,
    username: "app",
    now: () => time,
    delay: (ms, signal) => {
      steps.push("window");
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      windows.push({ ms, end: resolve });
      signal.addEventListener("abort", () => reject(signal.reason));
      if (signal.aborted) reject(signal.reason);
      return promise;
    },
  });
  database.password = secret.currentLogin().password;
  const setPassword = async (user: string, password: string): Promise<void> => {
    steps.push(`password of ${user}`);
    if (database.failure !== undefined) throw database.failure;
    database.password = password;
  };
  const advance = (ms: number): void => {
    time += ms;
  };
  return { secret, setPassword, steps, windows, database, advance };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("The managed secret", () => {
  it("is creating until the database runs, with its first version readable before", async () => {
    const { secret, setPassword } = managedSecret();
    assert.equal(secret.secretStatus().state, "creating");
    await assert.rejects(secret.rotate(), { code: "NOT_ACTIVE" });
    const { username, password, versionId } = secret.currentLogin();
    const version = secret.version("AWSCURRENT");
    assert.deepEqual(JSON.parse(version?.secretString ?? ""), { username, password });
    assert.equal(version?.versionId, versionId);
    assert.equal(secret.version("AWSPENDING"), undefined);
    assert.equal(secret.version("AWSPREVIOUS"), undefined);
    secret.activate(setPassword);
    assert.equal(secret.secretStatus().state, "active");
  });

  it("rotates the password in the database first and promotes the version only after the window", async () => {
    const { secret, setPassword, steps, windows, database, advance } = managedSecret();
    secret.activate(setPassword);
    const before = secret.currentLogin();
    const rotating = secret.rotate();
    await settled();

    assert.deepEqual(steps, ["password of app", "window"]);
    assert.equal(windows[0]?.ms, 2_000);
    assert.notEqual(database.password, before.password);
    assert.deepEqual(secret.currentLogin(), before);
    assert.equal(secret.secretStatus().state, "rotating");
    assert.equal(secret.secretStatus().windowOpenedAt, 1_000);
    assert.deepEqual(secret.secretStatus().rotations, []);
    const pending = secret.version("AWSPENDING");
    assert.deepEqual(JSON.parse(pending?.secretString ?? ""), { username: "app", password: database.password });

    advance(2_000);
    windows[0]?.end();
    const rotation = await rotating;
    assert.deepEqual(rotation, {
      versionId: pending?.versionId,
      windowMs: 2_000,
      startedAt: 1_000,
      promotedAt: 3_000,
    });
    assert.equal(secret.currentLogin().password, database.password);
    assert.equal(secret.currentLogin().versionId, rotation.versionId);
    assert.equal(secret.version("AWSPREVIOUS")?.versionId, before.versionId);
    assert.equal(secret.version("AWSPENDING"), undefined);
    const status = secret.secretStatus();
    assert.equal(status.state, "active");
    assert.equal(status.windowOpenedAt, undefined);
    assert.deepEqual(status.rotations, [rotation]);
  });

  it("keeps one previous version, however often it rotates", async () => {
    const { secret, setPassword, windows } = managedSecret();
    secret.activate(setPassword);
    const seen = [secret.currentLogin().versionId];
    for (let count = 0; count < 3; count += 1) {
      const rotating = secret.rotate({ windowMs: 0 });
      await settled();
      windows[count]?.end();
      seen.push((await rotating).versionId);
    }
    assert.equal(new Set(seen).size, 4);
    assert.deepEqual(
      secret.secretStatus().versions.toSorted((one, other) => String(one.stages).localeCompare(String(other.stages))),
      [
        { versionId: seen[3], stages: ["AWSCURRENT"] },
        { versionId: seen[2], stages: ["AWSPREVIOUS"] },
      ],
    );
  });

  it("refuses a second rotation while one is under way", async () => {
    const { secret, setPassword, windows } = managedSecret();
    secret.activate(setPassword);
    const rotating = secret.rotate();
    await assert.rejects(secret.rotate(), { code: "ROTATION_IN_PROGRESS" });
    await settled();
    windows[0]?.end();
    await rotating;
    assert.equal(windows.length, 1);
  });

  for (const windowMs of [-1, 60_001, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`refuses a window of ${windowMs} ms and touches nothing`, async () => {
      const { secret, setPassword, steps } = managedSecret();
      secret.activate(setPassword);
      await assert.rejects(secret.rotate({ windowMs }), (error: Error & { code?: string }) => {
        assert.equal(error.code, "INVALID_WINDOW");
        assert.match(error.message, /0 to 60000/);
        assert.ok(error.message.includes(String(windowMs)));
        return true;
      });
      assert.deepEqual(steps, []);
      assert.equal(secret.secretStatus().state, "active");
    });
  }

  it("gives rotations that name no window the wider one for as long as it is asked to, and the others their own", async () => {
    const { secret, setPassword, windows } = managedSecret();
    secret.activate(setPassword);
    const rotate = async (windowMs?: number) => {
      const rotation = secret.rotate(windowMs === undefined ? {} : { windowMs });
      await settled();
      windows.at(-1)?.end();
      return (await rotation).windowMs;
    };
    const narrow = secret.widenWindow(30_000);
    assert.deepEqual([await rotate(), await rotate(70)], [30_000, 70]);
    narrow();
    assert.deepEqual([await rotate(), await rotate(70)], [2_000, 70]);
    assert.deepEqual(
      windows.map(({ ms }) => ms),
      [30_000, 70, 2_000, 70],
    );
  });

  it("is impaired by a rotation that fails half-way, and the next rotation repairs it", async () => {
    const { secret, setPassword, windows, database } = managedSecret();
    secret.activate(setPassword);
    const before = secret.currentLogin();
    database.failure = new Error("the database is away");
    await assert.rejects(secret.rotate(), (error: Error & { code?: string }) => {
      assert.equal(error.code, "ROTATION_FAILED");
      assert.equal(error.cause, database.failure);
      return true;
    });
    assert.equal(secret.secretStatus().state, "impaired");
    assert.deepEqual(secret.currentLogin(), before);
    assert.deepEqual(secret.secretStatus().rotations, []);

    database.failure = undefined;
    const rotating = secret.rotate();
    await settled();
    windows[0]?.end();
    await rotating;
    assert.equal(secret.secretStatus().state, "active");
    assert.equal(secret.currentLogin().password, database.password);
    assert.equal(secret.version("AWSPENDING"), undefined);
  });

  it("ends an open window without promoting its version when it is closed", async () => {
    const { secret, setPassword } = managedSecret();
    secret.activate(setPassword);
    const before = secret.currentLogin();
    const rotating = assert.rejects(secret.rotate({ windowMs: 60_000 }), { code: "ROTATION_ABORTED" });
    await settled();
    await secret.close();
    await rotating;
    assert.deepEqual(secret.currentLogin(), before);
    assert.equal(secret.secretStatus().state, "impaired");
    await assert.rejects(secret.rotate(), { code: "CLOSED" });
  });

  it("promotes nothing when it is closed while the database is given the password", async () => {
    const { secret } = managedSecret();
    const before = secret.currentLogin();
    const change = Promise.withResolvers<void>();
    secret.activate(() => change.promise);
    const rotating = assert.rejects(secret.rotate(), { code: "ROTATION_ABORTED" });
    const closed = secret.close();
    change.resolve();
    await Promise.all([rotating, closed]);
    assert.deepEqual(secret.currentLogin(), before);
    assert.deepEqual(secret.secretStatus().rotations, []);
  });

  it("waits for the window by the clock when no delay is given", async () => {
    const secret = createManagedSecret({ arn, username: "app" });
    secret.activate(async () => {});
    const { startedAt, promotedAt } = await secret.rotate({ windowMs: 30 });
    assert.ok(promotedAt - startedAt >= 29);
  });

  it("makes passwords of RDS's alphabet, all of it, and no two alike", () => {
    const passwords = Array.from({ length: 200 }, randomPassword);
    assert.equal(new Set(passwords).size, 200);
    for (const password of passwords) assert.match(password, /^[!#-&(-.0-?A-~]{32}$/);
    assert.equal(new Set(passwords.join("")).size, 90);
  });
});
