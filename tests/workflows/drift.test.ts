import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "mocha";
import { STACKS } from "../infra/declared-program.ts";
import { runScript, writes } from "./github-script.ts";
import { expression, job, scriptOf, scriptsOf, stepNamed, workflow } from "./workflow-files.ts";

const FIND = stepNamed(job("drift.yml", "compare"), "Find what was deployed last");
const REPORT = stepNamed(job("drift.yml", "report"), "Open or update the issue");
const COMPARE = scriptOf(stepNamed(job("drift.yml", "compare"), "Compare"));

const TITLE = "Drift: AWS differs from what was deployed";

/** Runs the report on what the comparisons left. */
function report(found: Readonly<Record<string, { verdict: string; preview?: string }>>, open: readonly object[] = []) {
  const folder = mkdtempSync(path.join(tmpdir(), "drift-"));
  for (const [stack, { verdict, preview = "" }] of Object.entries(found)) {
    const at = path.join(folder, "drift", `drift-${stack}`);
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, "verdict"), `${verdict}\n`);
    writeFileSync(path.join(at, "preview.txt"), preview);
  }
  return runScript(REPORT, { folder, answers: { "issues.listForRepo": open } });
}

const NONE = { verdict: "none" };
const DRIFT = {
  verdict: "drift",
  preview: "~ aws:rds/proxy:Proxy: (update)\n~~~~~~~~~~\nidleClientTimeout: 60 => 1800",
};
const ISSUE = { number: 5, title: TITLE, body: "found" };

describe("The nightly comparison", () => {
  it("covers each stack, as the role that reads, also when the other one differs", () => {
    const compare = job("drift.yml", "compare");
    assert.deepEqual([...(compare.strategy?.matrix.stack ?? [])].sort(), [...STACKS].sort());
    assert.equal(compare.environment, `${expression("matrix.stack")}-preview`);
    assert.equal((compare.strategy as { "fail-fast"?: boolean })["fail-fast"], false);
    assert.deepEqual(Object.keys(workflow("drift.yml").on), ["schedule", "workflow_dispatch"]);
  });

  it("looks at AWS itself, expects no change, and writes nothing", () => {
    const commands = scriptsOf(job("drift.yml", "compare")).match(/\bpulumi [a-z]+/g);
    assert.deepEqual(commands, ["pulumi preview"]);
    assert.match(COMPARE, /pulumi preview --refresh --expect-no-changes --non-interactive --diff --stack "\$STACK"/);
    assert.match(COMPARE, /--config "imageDigest=\$digest"/);
    assert.doesNotMatch(COMPARE, /--create/);
  });

  it("takes the commit that was deployed to the stack last, though main may be ahead", async () => {
    const answers = {
      "repos.listDeployments": [
        { id: 3, sha: "waiting" },
        { id: 2, sha: "deployed" },
        { id: 1, sha: "older" },
      ],
      "repos.listDeploymentStatuses": ({ deployment_id }: { deployment_id: number }) =>
        deployment_id === 3
          ? [{ state: "waiting" }, { state: "failure" }]
          : [{ state: "inactive" }, { state: "success" }],
    };
    const { outputs, calls } = await runScript(FIND, { env: { STACK: "production" }, answers });
    assert.deepEqual(outputs, { sha: "deployed" });
    assert.equal(calls[0]?.given.environment, "production");
    assert.equal(calls.length, 3);
    const { steps = [] } = job("drift.yml", "compare");
    assert.equal(steps[1]?.with?.ref, expression("steps.deployed.outputs.sha"));
    for (const step of steps.slice(1)) assert.equal(step.if, "steps.deployed.outputs.sha");
  });

  it("leaves alone what was never deployed", async () => {
    const { outputs, notices } = await runScript(FIND, {
      env: { STACK: "production" },
      answers: { "repos.listDeployments": [] },
    });
    assert.deepEqual([outputs, notices.length], [{}, 1]);
  });

  it("opens one issue that shows each stack that differs", async () => {
    const run = await report({ staging: NONE, production: DRIFT });
    const [call, ...others] = writes(run);
    assert.deepEqual(others, []);
    assert.deepEqual([call?.operation, call?.given.title], ["issues.create", TITLE]);
    const body = String(call?.given.body);
    assert.match(body, /## production\n\n~~~~~~~~text\n~ aws:rds\/proxy:Proxy/);
    assert.doesNotMatch(body, /## staging/);
    assert.equal(body.split("~~~~").length - 1, 4, "what is shown cannot end the block that it stands in");
    assert.match(body, /actions\/runs\/7/);
    assert.deepEqual(run.failures, ["Drift in production."]);
  });

  it("updates the issue that is open, and no other", async () => {
    const run = await report({ staging: DRIFT, production: DRIFT }, [
      { number: 3, title: "Drift", body: "" },
      { number: 4, title: TITLE, body: "", pull_request: {} },
      ISSUE,
    ]);
    const [call, ...others] = writes(run);
    assert.deepEqual(others, []);
    assert.deepEqual([call?.operation, call?.given.issue_number, call?.given.state], ["issues.update", 5, undefined]);
    assert.match(String(call?.given.body), /## production[\s\S]*## staging/);
  });

  it("closes the issue only when no stack differs, and each was compared", async () => {
    const both = await report({ staging: NONE, production: NONE }, [ISSUE]);
    const [call, ...others] = writes(both);
    assert.deepEqual(others, []);
    assert.deepEqual([call?.operation, call?.given.issue_number, call?.given.state], ["issues.update", 5, "closed"]);
    assert.deepEqual(writes(await report({ staging: NONE }, [ISSUE])), []);
    assert.deepEqual(writes(await report({}, [ISSUE])), []);
    assert.deepEqual(writes(await report({ staging: NONE, production: NONE })), []);
  });

  it("keeps the issue within GitHub's limit of 65536 characters", async () => {
    const long = { verdict: "drift", preview: "x".repeat(200_000) };
    const [call] = writes(await report({ staging: long, production: long }));
    assert.ok(String(call?.given.body).length < 65_536);
  });
});
