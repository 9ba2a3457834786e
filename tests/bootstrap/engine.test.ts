import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { hasPulumi } from "../../local/engine/cli.ts";
import { OfflineEngine, type OfflineStack } from "../../local/engine/engine.ts";
import { destroy, preview, up } from "../../local/engine/outcome.ts";
import { BOOTSTRAP, bootstrapOf, FILLED_IN } from "./account.ts";

const PROJECT = "passwordless-postgres-bootstrap";

/** By full key, as a stack file has them. Quotes keep the id text. */
const CONFIG = Object.fromEntries(
  Object.entries(FILLED_IN).map(([key, value]) => [key.includes(":") ? key : `${PROJECT}:${key}`, value]),
);

describe("Bootstrap on the real engine", function () {
  // Starting the CLI several times takes long on a busy machine.
  this.timeout(60_000);
  let engine: OfflineEngine;
  let opened: OfflineStack;
  before(async function () {
    // The engine needs Pulumi's CLI, which not every machine has.
    if (!(await hasPulumi())) this.skip();
    engine = await OfflineEngine.start();
    opened = await engine.stack("account", { folder: BOOTSTRAP, config: CONFIG });
  });
  after(() => engine?.stop());

  async function typesInState(): Promise<readonly string[]> {
    const { deployment } = await opened.stack.workspace.exportStack("account");
    return (deployment.resources as { readonly type: string }[]).map(({ type }) => type);
  }

  it("makes all that is declared, and then finds nothing to change", async () => {
    const made = await up(opened.stack);
    assert.equal(made.failed, undefined);
    const types = await typesInState();
    const declared = (await bootstrapOf()).resources.map(({ type }) => type);
    const ofProviders = /^pulumi:providers:/;
    assert.deepEqual(types.filter((type) => !ofProviders.test(type)).sort(), [...declared].sort());
    const again = await preview(opened.stack, { expectNoChanges: true });
    assert.equal(again.failed, undefined);
  });

  it("refuses to destroy the bucket, the keys and GitHub's provider, and says why", async () => {
    const { failed, text } = await destroy(opened.stack);
    assert.notEqual(failed, undefined);
    assert.match(text, /cannot be deleted\s+because it is protected/);
    const left = await typesInState();
    const kept = ["aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:iam/openIdConnectProvider:OpenIdConnectProvider"];
    for (const type of kept) assert.ok(left.includes(type), type);
  });
});
