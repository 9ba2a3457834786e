import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { after, before, describe, it } from "mocha";
import { hasPulumi } from "../../local/engine/cli.ts";
import { OfflineEngine } from "../../local/engine/engine.ts";
import { job, scriptOf, stepNamed } from "./workflow-files.ts";

const DIGEST = `sha256:${"4f".repeat(32)}`;
const NEXT = `sha256:${"5e".repeat(32)}`;

const describing = (await hasPulumi()) ? describe : describe.skip;

/** The steps of stack.yml that ask Pulumi, in their order, on the real engine. */
describing("A stack that is deployed by its workflow (skipped where there is no pulumi on PATH)", function () {
  this.timeout(120_000);
  let engine: OfflineEngine;

  before(async () => {
    engine = await OfflineEngine.start();
  });
  after(() => engine?.stop());

  /** The stack with an image by its digest, as `--config imageDigest=…` gives it, or with one that the program builds. */
  async function stackWith(imageDigest?: string): Promise<Stack> {
    return (await engine.stack("staging", imageDigest === undefined ? {} : { config: { imageDigest } })).stack;
  }

  /** Verb, type and name of everything that changed something since the last call. */
  let told = 0;
  function changes(): readonly string[] {
    const since = engine.account.operations.slice(told);
    told = engine.account.operations.length;
    return since
      .filter(({ verb }) => verb !== "read")
      .map(({ verb, type, name }) => `${verb} ${type.split(":").at(-1)} ${name}`)
      .sort();
  }

  it("has no repository at first, builds one image, and goes over to the one that was tried with its tasks alone", async () => {
    assert.deepEqual(await (await stackWith()).outputs(), {});
    const first = await (await stackWith()).up();
    assert.match(
      String(first.outputs.imageRepositoryUrl?.value),
      /^\d{12}\.dkr\.ecr\.eu-west-2\.amazonaws\.com\/[a-z0-9-]+$/,
    );
    const built = changes().filter((change) => /Image /.test(change));
    assert.equal(built.length, 1, built.join(", "));
    const { outputs } = await (await stackWith(DIGEST)).up();
    assert.equal(outputs.imageDigest?.value, DIGEST);
    assert.deepEqual(changes(), [
      "create TaskDefinition service",
      String(built[0]).replace("create", "delete"),
      "delete TaskDefinition service",
      "update Service service",
    ]);
  });

  it("has not drifted then, and rolls its tasks alone for the next digest", async () => {
    await (await stackWith(DIGEST)).preview({ refresh: true, expectNoChanges: true });
    assert.deepEqual(changes(), []);
    await (await stackWith(NEXT)).up();
    assert.deepEqual(changes(), [
      "create TaskDefinition service",
      "delete TaskDefinition service",
      "update Service service",
    ]);
  });

  it("is seen to have drifted, in the words that the nightly comparison looks for", async () => {
    const stack = await stackWith(DIGEST);
    const compare = scriptOf(stepNamed(job("drift.yml", "compare"), "Compare"));
    const [, words = ""] = /grep --quiet '([^']+)'/.exec(compare) ?? [];
    await assert.rejects(stack.preview({ refresh: true, expectNoChanges: true }), (error: unknown) => {
      assert.ok(words !== "" && error instanceof Error && error.message.includes(words), String(error));
      return true;
    });
    assert.deepEqual(changes(), []);
  });
});
