import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { after, before, describe, it } from "mocha";
import { hasPulumi } from "../../local/engine/cli.ts";
import { OfflineEngine } from "../../local/engine/engine.ts";

const FOLDER = new URL("../../examples/existing-service/", import.meta.url);

/** Longest that one case may take in milliseconds, on a machine that others use too. */
const CASE_MS = 60_000;

const present = await hasPulumi();

(present ? describe : describe.skip)(
  `The example of an existing service on the real engine${present ? "" : " (skipped: there is no pulumi on PATH)"}`,
  function () {
    this.timeout(CASE_MS);
    let engine: OfflineEngine;
    let stack: Stack;

    before(async () => {
      engine = await OfflineEngine.start();
      ({ stack } = await engine.stack("example", { folder: FOLDER }));
    });
    after(() => engine?.stop());

    it("is made in one go, gives out the endpoint, and then has nothing left to change", async () => {
      const { outputs } = await stack.up();
      assert.equal(outputs.environment?.value.DB_HOST, outputs.proxyEndpoint?.value);
      assert.match(String(outputs.proxyEndpoint?.value), /^existing-service-example-[0-9a-f]{8}\.proxy-/);
      const { changeSummary } = await stack.preview();
      assert.deepEqual(Object.keys(changeSummary), ["same"]);
    });

    it("refuses a user whom the proxy could not log in, before anything is touched", async () => {
      await stack.setConfig("databaseUser", { value: "reporting" });
      await assert.rejects(stack.preview(), /its master user is "orders_admin", but the user is to be "reporting"/);
    });

    it("stands a proxy for another instance beside the old one, which goes last", async () => {
      const known = engine.account.operations.length;
      await stack.setConfig("databaseIdentifier", { value: "billing" });
      await stack.setConfig("databaseUser", { value: "billing_admin" });
      await stack.up();
      const operations = engine.account.operations.slice(known);
      for (const name of ["proxy-connect-service", "proxy-read-secret", "proxy"]) {
        const own = operations.filter(
          (operation) => operation.name === name && /:(?:RolePolicy|Proxy)$/.test(operation.type),
        );
        const [created, deleted] = (["create", "delete"] as const).map((verb) =>
          own.filter((one) => one.verb === verb),
        );
        assert.deepEqual([created?.length, deleted?.length], [1, 1], name);
        assert.ok((created?.[0]?.ended ?? Number.POSITIVE_INFINITY) < (deleted?.[0]?.begun ?? 0), name);
      }
    });

    it("leaves nothing behind", async () => {
      await stack.destroy();
      const count = (verb: string) => engine.account.operations.filter((operation) => operation.verb === verb).length;
      assert.equal(count("delete"), count("create"));
    });
  },
);
