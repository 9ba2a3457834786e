import assert from "node:assert/strict";
import { Signer } from "@aws-sdk/rds-signer";
import { describe, it } from "mocha";
import { scrub, scrubJsonLine } from "../../../app/postgres/scrub.ts";

const SESSION = "FwoGZXIvYXdzEXAMPLE/session+token==";

async function realToken(): Promise<string> {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI", sessionToken: SESSION };
  return new Signer({
    hostname: "h.example",
    port: 5432,
    username: "app",
    region: "eu-west-2",
    credentials,
  }).getAuthToken();
}

/** The parts of a token that must not be seen, each as it stands in the token. */
function secretParts(token: string): readonly string[] {
  const query = new Map(
    token
      .split("?")[1]
      ?.split("&")
      .map((pair) => pair.split("=") as [string, string]),
  );
  return ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"].map(
    (name) => query.get(name) ?? assert.fail(name),
  );
}

describe("Scrubbing", () => {
  const spellings: readonly [string, (token: string) => string][] = [
    ["as it is", (token) => token],
    ["in a sentence", (token) => `login with ${token} failed`],
    ["in JSON", (token) => JSON.stringify({ token })],
    ["in JSON within JSON", (token) => JSON.stringify(JSON.stringify({ token }))],
    ["as printed query", (token) => JSON.stringify(Object.fromEntries(new URL(`https://${token}`).searchParams))],
    [
      "as escaped query",
      (token) => JSON.stringify(JSON.stringify(Object.fromEntries(new URL(`https://${token}`).searchParams))),
    ],
  ];
  for (const [what, spell] of spellings) {
    it(`removes what authenticates from a real token ${what}`, async () => {
      const token = await realToken();
      const clean = scrub(spell(token));
      for (const part of secretParts(token)) {
        assert.ok(!clean.includes(part));
        assert.ok(!clean.includes(decodeURIComponent(part)));
      }
      assert.equal(clean.match(/\[scrubbed\]/g)?.length, 3);
      assert.match(clean, /DBUser/);
    });
  }

  it("removes known secrets in every spelling", () => {
    const secret = 'p"a/ß\\s';
    const clean = scrub(`${secret} ${encodeURIComponent(secret)} ${JSON.stringify(secret)}`, [secret]);
    assert.equal(clean, '[scrubbed] [scrubbed] "[scrubbed]"');
  });

  it("leaves a text without secrets as it is, and knows that an empty secret is none", () => {
    assert.equal(scrub("connect to h:5432 as app", ["", "pw"]), "connect to h:5432 as app");
  });

  for (const secret of ["1", '"', "{", "level", "true", "\\"]) {
    it(`keeps a JSON line readable when the secret is ${secret}`, () => {
      const line = `${JSON.stringify({ level: 30, time: 111, ok: true, msg: `with ${secret} inside` })}\n`;
      const clean = scrubJsonLine(line, [secret]);
      assert.deepEqual(JSON.parse(clean), { level: 30, time: 111, ok: true, msg: "with [scrubbed] inside" });
      assert.ok(clean.endsWith("\n"));
    });
  }
});
