import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { commandEnvironment } from "./command-environment.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function demo(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["local/demo.ts", ...args], {
    cwd: root,
    env: commandEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: Number(code), stdout, stderr };
}

/** The number beside a label of the report's tables. */
function figure(report: string, label: string): number {
  const [, value] = new RegExp(`\\| ${label} +\\| +(\\d+) \\|`).exec(report) ?? [];
  return Number(value ?? Number.NaN);
}

describe("npm run demo", () => {
  it("rotates the credential under load without a failed request, and says so", async function () {
    this.timeout(60_000);
    // The window is longer than a connection lives, so new ones are needed in it, however slow the machine is.
    const { code, stdout, stderr } = await demo(
      "--rotations",
      "1",
      "--seconds",
      "8",
      "--window",
      "3200",
      "--rate",
      "100",
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /Verdict: PASSED/);
    assert.equal(figure(stdout, "failed requests"), 0);
    assert.equal(figure(stdout, "acknowledged creations missing"), 0);
    assert.ok(figure(stdout, "requests") > 500, stdout);
    assert.ok(figure(stdout, "acknowledged creations") > 100, stdout);
    assert.ok(figure(stdout, "connection attempts retried") > 0, stdout);
    assert.ok(figure(stdout, "tokens minted") > figure(stdout, "physical connections opened"), stdout);
    for (const progress of [
      /evaluating the Pulumi program/,
      /PostgreSQL 17/,
      /RDS Proxy/,
      /healthy/,
      /rotation 1 of 1/,
    ]) {
      assert.match(stderr, progress);
    }
  });

  it("shows the outage that a static password has at the first rotation", async function () {
    this.timeout(60_000);
    const short = ["--rotations", "1", "--seconds", "5", "--window", "500", "--rate", "100"];
    const { code, stdout, stderr } = await demo("--static-password", ...short);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /Verdict: OUTAGE/);
    assert.ok(figure(stdout, "failed requests") > 0, stdout);
    assert.match(stdout, /503 DATABASE_UNAVAILABLE/);
  });

  it("explains itself, and refuses what it does not take before anything is started", async () => {
    const help = await demo("--help");
    assert.equal(help.code, 0);
    assert.match(help.stdout, /--static-password/);
    assert.deepEqual(await demo("--rate", "0"), {
      code: 2,
      stdout: "",
      stderr: "error: --rate 0; allowed: a whole number from 1 to 1000\n",
    });
    const unknown = await demo("--stack", "nowhere");
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /there is no stack nowhere/);
  });
});
