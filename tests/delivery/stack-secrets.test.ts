import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { stackArguments } from "../../delivery/arguments.ts";
import { run } from "../../delivery/run.ts";
import { secretsOfState, withSecrets } from "../../delivery/stack-secrets.ts";

const SECRETS = { secretsprovider: "awskms://alias/staging-secrets?region=eu-west-2", encryptedkey: "AQICAHg=" };

/** A state as `pulumi stack export` prints it. */
function exported(type: string, state: object | undefined): string {
  return JSON.stringify({
    version: 3,
    deployment: { manifest: {}, secrets_providers: { type, state }, resources: [] },
  });
}

describe("The file of a stack in a fresh checkout", () => {
  it("is told how the state's secrets are encrypted, and keeps its comments and configuration", () => {
    const file = 'config:\n  # Put your account.\n  aws:allowedAccountIds: ["123456789012"]\n';
    const secrets = secretsOfState(
      "staging",
      exported("cloud", { url: SECRETS.secretsprovider, encryptedkey: SECRETS.encryptedkey }),
    );
    assert.deepEqual(secrets, SECRETS);
    const told = withSecrets(file, secrets);
    assert.match(told, /# Put your account\./);
    assert.deepEqual(parse(told), { ...parse(file), ...SECRETS });
  });

  it("is left as it is when it says so itself", () => {
    const file = "secretsprovider: awskms://alias/mine\nencryptedkey: abc\nconfig: {}   # as it was\n";
    assert.equal(withSecrets(file, SECRETS), file);
  });

  it("may be empty", () => {
    assert.deepEqual(parse(withSecrets("", SECRETS)), SECRETS);
  });

  it("gets nothing from a state whose secrets no cloud's key encrypts, and the error says what to do", () => {
    for (const state of [
      exported("passphrase", { salt: "v1" } as object),
      exported("cloud", undefined),
      "{}",
      "not JSON",
      "",
    ]) {
      assert.throws(() => secretsOfState("staging", state), {
        code: "DELIVERY",
        message: /pulumi stack change-secrets-provider --stack staging awskms:/,
      });
    }
  });
});

describe("A command of the delivery", () => {
  it("takes a stack and the flags that it knows, and nothing else", () => {
    assert.deepEqual(stackArguments(["staging"]), { stack: "staging", flags: new Set() });
    assert.deepEqual(stackArguments(["staging", "--create"], ["create"]), {
      stack: "staging",
      flags: new Set(["create"]),
    });
    for (const wrong of [[], [""], ["../staging"], ["a", "b"], ["staging", "--create"], ["--stack", "staging"]])
      assert.throws(() => stackArguments(wrong), { code: "USAGE" }, wrong.join(" "));
  });

  it("tells the end of what a program that failed had to say", async () => {
    assert.equal(await run(process.execPath, ["-e", "process.stdout.write('out')"]), "out");
    await assert.rejects(run(process.execPath, ["-e", "console.error('why'); process.exit(3)"]), {
      code: "DELIVERY",
      message: /failed: why$/,
    });
    await assert.rejects(run("no-such-program", []), { code: "DELIVERY", message: /ENOENT/ });
  });
});
