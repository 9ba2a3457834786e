import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";

const SCRIPT = fileURLToPath(new URL("../../delivery/select-stack.ts", import.meta.url));
const PROVIDER = "awskms://alias/stack-secrets?region=eu-west-2";

/** Whether the Pulumi CLI is on the PATH; `.ci/run` puts it there where it can be had. */
function pulumiIsThere(): boolean {
  try {
    execFileSync("pulumi", ["version"], { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

describe("Selecting a stack with the real Pulumi CLI", function () {
  this.timeout(30_000);
  const folder = mkdtempSync(path.join(tmpdir(), "select-stack-"));
  const asked: string[] = [];
  /** Stands for AWS KMS: encrypts by writing a word before the text. */
  const kms = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const given = JSON.parse(String(Buffer.concat(chunks))) as { Plaintext?: string; CiphertextBlob?: string };
      asked.push(String(request.headers["x-amz-target"]));
      const clear = Buffer.from(given.CiphertextBlob ?? "", "base64")
        .toString()
        .replace(/^locked:/, "");
      const answer =
        given.Plaintext === undefined
          ? { Plaintext: clear }
          : { CiphertextBlob: Buffer.from(`locked:${given.Plaintext}`).toString("base64") };
      response.setHeader("content-type", "application/x-amz-json-1.1").end(JSON.stringify(answer));
    });
  });

  before(async function () {
    if (!pulumiIsThere()) this.skip();
    kms.listen(0, "127.0.0.1");
    await once(kms, "listening");
    for (const part of ["home", "state"]) mkdirSync(path.join(folder, part));
  });

  after(() => {
    kms.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A checkout of its own, as each run of a workflow has one. */
  function checkout(name: string): string {
    const at = path.join(folder, name);
    mkdirSync(at);
    writeFileSync(path.join(at, "Pulumi.yaml"), "name: project\nruntime: nodejs\n");
    writeFileSync(path.join(at, "Pulumi.staging.yaml"), "config: {}\n");
    return at;
  }

  function select(cwd: string, args: readonly string[], provider: string) {
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      PULUMI_HOME: path.join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_SECRETS_PROVIDER: provider,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(kms.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "example",
      AWS_SECRET_ACCESS_KEY: "example",
      AWS_REGION: "eu-west-2",
    };
    return promisify(execFile)(process.execPath, [SCRIPT, ...args], { cwd, env, timeout: 25_000 });
  }

  const secretsIn = (at: string) =>
    parse(readFileSync(path.join(at, "Pulumi.staging.yaml"), "utf8")) as Record<string, unknown>;

  it("makes it once under its key, and tells every later checkout that key without encrypting anything", async () => {
    const first = checkout("first");
    await assert.rejects(select(first, ["staging"], ""), /no stack named 'staging' found/);
    await assert.rejects(
      select(first, ["staging", "--create"], "passphrase"),
      /PULUMI_SECRETS_PROVIDER is \\?"passphrase/,
    );
    await select(first, ["staging", "--create"], PROVIDER);
    const { secretsprovider, encryptedkey } = secretsIn(first);
    assert.equal(secretsprovider, PROVIDER);
    assert.ok(asked.splice(0).includes("TrentService.Encrypt"));
    for (const [name, args] of [
      ["preview", ["staging"]],
      ["deployment", ["staging", "--create"]],
    ] as const) {
      const later = checkout(name);
      await select(later, args, PROVIDER);
      assert.deepEqual(secretsIn(later), { config: {}, secretsprovider, encryptedkey }, name);
    }
    assert.ok(!asked.includes("TrentService.Encrypt"), asked.join(", "));
  });
});
