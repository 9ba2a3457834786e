import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { CONTROLS } from "../../policy/controls.ts";
import { programOf } from "../infra/declared-program.ts";
import { asDeployed, asInPreview } from "./moments.ts";
import { copy, set } from "./mutations/mutation.ts";
import { PackProcess, UNKNOWN } from "./pack-process.ts";

describe("The policy pack, run as the engine runs it", () => {
  let pack: PackProcess;
  before(async () => {
    pack = await PackProcess.start();
  });
  after(async () => {
    await pack.stop();
  });

  it("offers a policy for every control, and one for the register of exceptions", async () => {
    assert.deepEqual(await pack.policies(), [...CONTROLS.map(({ id }) => id), "exceptions-current"]);
  });

  it("has nothing to say of production", async () => {
    assert.deepEqual(await pack.analyze((await programOf("production")).resources), []);
  });

  it("has nothing to say of production once it stands, when the provider reports more than was declared", async () => {
    assert.deepEqual(await pack.analyze(asDeployed((await programOf("production")).resources)), []);
  });

  it("stops a deployment that breaks a control, and names resource, value and what is allowed", async () => {
    const program = set("Proxy", "proxy", { requireTls: false })(await programOf("production"));
    const [diagnostic, ...others] = await pack.analyze(program.resources);
    assert.deepEqual(others, []);
    assert.equal(diagnostic?.policy, "proxy-requires-tls");
    assert.equal(diagnostic.mandatory, true);
    assert.match(diagnostic.message, /\nProxy proxy: requireTls is false; allowed: true\.$/);
    assert.match(diagnostic.urn, /:Proxy::proxy$/);
  });

  it("stops a deployment whose exceptions are not needed", async () => {
    const program = set("Instance", "database", { iamDatabaseAuthenticationEnabled: true })(
      await programOf("production"),
    );
    const diagnostics = await pack.analyze(program.resources);
    assert.deepEqual(
      diagnostics.map(({ policy, mandatory }) => [policy, mandatory]),
      [["exceptions-current", true]],
    );
  });

  it("judges a stack that does not say its tier as production", async () => {
    const policies = (await pack.analyze((await programOf("staging")).resources)).map(({ policy }) => policy);
    assert.ok(policies.includes("database-multi-az"), policies.join(", "));
  });

  it("takes the tier from the provider's tags where the engine hands on no configuration", async () => {
    const { resources } = await programOf("staging");
    assert.deepEqual(await pack.analyze(resources, { Environment: "staging" }), []);
    assert.notDeepEqual(await pack.analyze(resources, { Environment: "test" }), []);
  });

  it("has nothing to say of a stack that is empty", async () => {
    const stack = (await programOf("production")).resources.filter(({ type }) => type === "pulumi:pulumi:Stack");
    assert.equal(stack.length, 1);
    assert.deepEqual(await pack.analyze(stack), []);
  });

  it("advises in the first preview, in which little is known, and stops nothing", async () => {
    const program = await programOf("production");
    const diagnostics = await pack.analyze(asInPreview(program.resources));
    assert.deepEqual(
      diagnostics.filter(({ mandatory }) => mandatory),
      [],
    );
    assert.ok(diagnostics.length > 10, `${diagnostics.length} policies could not run`);
    for (const { message } of diagnostics) assert.match(message, /can't be known during preview/);
  });

  it("stops in the first preview what is known to be wrong", async () => {
    const program = set("Proxy", "proxy", { requireTls: false })(await programOf("production"));
    const stopped = (await pack.analyze(asInPreview(program.resources))).filter(({ mandatory }) => mandatory);
    assert.deepEqual(
      stopped.map(({ policy }) => policy),
      ["proxy-requires-tls"],
    );
  });

  it("stops what is wrong beside what cannot be known yet", async () => {
    const program = copy("Key", "database-storage", "another")(await programOf("production"));
    const resources = program.resources.map((resource) => ({
      ...resource,
      outputs: {
        ...resource.outputs,
        ...(resource.name === "another" ? { enableKeyRotation: false } : {}),
        ...(resource.name === "database-storage" ? { enableKeyRotation: UNKNOWN } : {}),
      },
    }));
    const diagnostics = (await pack.analyze(resources)).filter(({ policy }) => policy === "keys-rotate");
    assert.deepEqual(diagnostics.map(({ mandatory }) => mandatory).sort(), [false, true]);
  });
});

describe("The policy pack of a stack of tier staging", () => {
  it("has nothing to say of staging, whether the engine hands it the configuration or not", async () => {
    const { resources } = await programOf("staging");
    const configured = await PackProcess.start({ "orders:tier": "staging" });
    try {
      assert.deepEqual(await configured.analyze(resources), []);
      assert.deepEqual(await configured.analyze(resources, { Environment: "production" }), []);
    } finally {
      await configured.stop();
    }
  });
});
