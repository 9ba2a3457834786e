import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { it } from "mocha";
import { stringify } from "yaml";
import { preview } from "../../local/engine/outcome.ts";
import { runCommandLine } from "../local/command-run.ts";
import { describeEngine } from "./engine-fixture.ts";
import { filesWith } from "./files-with.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describeEngine("npm run preview", (fixture) => {
  it("prints one line of JSON: what a change does to what a revision declared", async function () {
    if (!isRepository()) this.skip();
    await using run = await runCommandLine("local/preview.ts", "--stack", "staging", "--against", "HEAD", "--json");
    assert.equal((await run.exits()).code, 0, run.written.stderr);
    assert.equal(run.written.stdout.split("\n").length, 2);
    const { stack, against, changes, unchanged } = JSON.parse(run.written.stdout);
    assert.deepEqual([stack, against], ["staging", "HEAD"]);
    assert.ok(changes.length + unchanged > 100);
    assert.ok(unchanged > 0, "the state is not empty");
    await run.leavesNothing();
  });

  it("ends with the mistake and status 1 where the program refuses the configuration", async () => {
    await using run = await runCommandLine("local/preview.ts", "--config", "taskCpu=3", "--markdown");
    assert.equal((await run.exits()).code, 1);
    assert.match(run.written.stderr, /^1 mistake in the configuration of stack production:\n.*taskCpu is "3"/m);
    assert.match(run.written.stdout, /\*\*error\*\*/);
    assert.doesNotMatch(run.written.stderr, /\.ts:\d+/, "no stack trace");
  });

  it("leaves nothing after Ctrl-C", async () => {
    await using run = await runCommandLine("local/preview.ts");
    await run.writes("stderr", /previewing stack production/);
    run.signal("SIGINT", "group");
    assert.equal((await run.exits()).code, 130);
    await run.leavesNothing();
  });

  it("says what to do where there is no CLI", async () => {
    await using run = await runCommandLine("local/preview.ts", "--pulumi", "/nowhere/pulumi");
    assert.equal((await run.exits()).code, 1);
    assert.match(
      run.written.stderr,
      /\/nowhere\/pulumi is no Pulumi CLI that runs here: put it on PATH .*\.ci\/provide-pulumi/,
    );
  });

  it("needs no key of a cloud: a canary stands for each encrypted value, and is kept as a secret", async () => {
    const folder = pathToFileURL(`${path.join(fixture.engine.folder, "secret")}/`);
    await mkdir(folder);
    await writeFile(
      new URL("Pulumi.yaml", folder),
      stringify({ name: "secretive", runtime: "nodejs", main: "index.ts" }),
    );
    await writeFile(
      new URL("Pulumi.dev.yaml", folder),
      stringify({
        secretsprovider: "awskms://alias/nowhere?region=eu-west-2",
        encryptedkey: "AQICAHg=",
        config: {
          token: { secure: "v1:AAAA:BBBB" },
          nested: { list: [{ secure: "v1:CCCC:DDDD" }] },
          plain: "as-it-is",
        },
      }),
    );
    const seen: unknown[] = [];
    const program = async () => {
      const config = new pulumi.Config("secretive");
      const all = [config.requireSecret("token"), config.requireSecretObject("nested"), config.require("plain")];
      pulumi.all(all).apply((values) => seen.push(...values));
      return { token: config.requireSecret("token") };
    };
    const { stack, canaries } = await fixture.engine.stack("dev", { folder, program });
    assert.equal((await preview(stack)).failed, undefined);
    assert.deepEqual(
      canaries.map(({ key }) => key),
      ["token", 'nested["list"][0]'],
    );
    const [token, nested] = canaries.map(({ value }) => value);
    assert.deepEqual(seen, [token, { list: [nested] }, "as-it-is"]);
    assert.deepEqual(await filesWith(String(token), fixture.engine.folder), []);
  });
});

function isRepository(): boolean {
  try {
    return (
      execFileSync("git", ["rev-parse", "--is-inside-work-tree"], { cwd: ROOT, encoding: "utf8" }).trim() === "true"
    );
  } catch {
    return false;
  }
}
