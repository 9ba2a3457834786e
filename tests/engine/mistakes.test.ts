import assert from "node:assert/strict";
import { afterEach, it } from "mocha";
import { preview } from "../../local/engine/outcome.ts";
import { planOf } from "../../local/preview/plan.ts";
import { StackConfigurationError } from "../../local/program/configuration.ts";
import { describeEngine } from "./engine-fixture.ts";

/** What is set wrongly, and what is said of it: by the engine, which knows types, or behind it by the program. */
const MISTAKES: readonly [what: string, config: Record<string, string>, told: RegExp][] = [
  [
    "a number that is none",
    { maxTasks: "three" },
    /^validating stack config: .*'maxTasks' must be of type 'integer'$/m,
  ],
  ["a flag that is none", { multiAz: "often" }, /^validating stack config: .*'multiAz' must be of type 'boolean'$/m],
  [
    "a list that is none",
    { ingressCidrs: "10.0.0.0/8" },
    /^validating stack config: .*'ingressCidrs' must be of type 'array<string>'$/m,
  ],
  [
    "a list of something else",
    { ingressCidrs: "[7]" },
    /^validating stack config: .*'ingressCidrs' must be of type 'array<string>'$/m,
  ],
  [
    "a text that is a number",
    { databaseName: "7" },
    /^validating stack config: .*'databaseName' must be of type 'string'|databaseName is "7"/m,
  ],
  [
    "several values out of their range, all at once",
    { taskCpu: "3", poolSize: "0" },
    /^2 mistakes in the configuration of stack production:\n.*:taskCpu is "3"; allowed: .*\n.*:poolSize is "0"; allowed: /m,
  ],
  ["a production stack without a standby", { multiAz: "false" }, /^1 mistake in .*\n.*multiAz/m],
  ["time-outs that do not nest", { requestDeadlineSeconds: "20" }, /requestDeadlineSeconds/],
  ["more connections than the proxy may open", { poolSize: "100" }, /poolSize/],
  ["a list with a value of another form", { ingressCidrs: '["everyone"]' }, /ingressCidrs is .*everyone.*; allowed: /],
];

describeEngine("A mistake in the configuration, on the real engine", (fixture) => {
  afterEach(() => {
    fixture.account.credentialsOf = undefined;
  });

  for (const [what, config, told] of MISTAKES) {
    it(`is told, and nothing is made: ${what}`, async () => {
      const { stack } = await fixture.engine.stack("production", { config });
      const { failed, events } = await preview(stack);
      const errors = planOf(events).diagnostics.filter(({ severity }) => severity === "error");
      assert.match([failed, ...errors.map(({ message }) => message)].join("\n").replace(/^error: /gm, ""), told);
      assert.deepEqual(fixture.account.operations, []);
    });
  }

  it("is told of a stack without a file, with those that there are", async () => {
    await assert.rejects(
      fixture.engine.stack("nowhere"),
      (error) => error instanceof StackConfigurationError && /there are production, staging$/.test(error.message),
    );
  });

  it("is told by the provider where the credentials are of another account than the stack's", async () => {
    fixture.account.credentialsOf = "999999999999";
    const { stack } = await fixture.engine.stack("production");
    const { failed, text } = await preview(stack);
    assert.match(`${failed}${text}`, /AWS account ID not allowed: 999999999999/);
  });
});
