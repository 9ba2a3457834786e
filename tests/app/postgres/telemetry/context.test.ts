import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "mocha";
import { poolFixture } from "../pool-fixture.ts";

describe("A caller that waited for a connection", () => {
  const fixture = poolFixture();

  it("is told in its own asynchronous context, whoever gave the connection back", async () => {
    const storage = new AsyncLocalStorage<string>();
    const pool = fixture.createPool({ max: 1 });
    const holder = await pool.connect();
    const seen = Promise.all([
      storage.run(
        "connect",
        () =>
          new Promise((resolve) =>
            pool.connect((_error, _client, done) => {
              resolve(storage.getStore());
              done();
            }),
          ),
      ),
      storage.run("promise", async () => {
        await pool.query("SELECT 1");
        return storage.getStore();
      }),
    ]);
    storage.run("releaser", () => holder.release());
    assert.deepEqual(await seen, ["connect", "promise"]);
    assert.equal(fixture.front.tokens.length, 1);
  });
});
