import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { type ExpectedToken, type TokenFlaw, verifyToken } from "../../../local/proxy/token.ts";
import { DECLARED, issueCredentials, mint, ROLE, USER } from "./fixture.ts";

const OTHER_ROLE = "arn:aws:iam::123456789012:role/other";

describe("The verification of an IAM token", () => {
  const task = issueCredentials();
  const other = issueCredentials({ roleArn: OTHER_ROLE });
  const issued = new Map([task, other].map((credentials) => [credentials.accessKeyId, credentials]));
  let token: string;

  const expected = (changes: Partial<ExpectedToken> = {}): ExpectedToken => ({
    host: DECLARED.endpoint,
    port: DECLARED.port,
    region: DECLARED.region,
    user: USER,
    now: Date.now(),
    credentials: (accessKeyId) => issued.get(accessKeyId),
    ...changes,
  });
  const flawOf = async (candidate: string, changes?: Partial<ExpectedToken>): Promise<TokenFlaw | "genuine"> => {
    const verdict = await verifyToken(candidate, expected(changes));
    return verdict.genuine ? "genuine" : verdict.flaw;
  };
  /** The token with some query parameters replaced, in their places. */
  const edited = (edit: (query: URLSearchParams) => void): string => {
    const query = new URLSearchParams(token.slice(token.indexOf("?") + 1));
    edit(query);
    return `${DECLARED.endpoint}:${DECLARED.port}/?${query}`;
  };
  const replaced = (name: string, from: string | RegExp, to: string): string => {
    const result = edited((query) => query.set(name, (query.get(name) ?? "").replace(from, to)));
    assert.notEqual(result, token, "the edit must change something");
    return result;
  };

  before(async () => {
    token = await mint(task);
  });

  it("finds the role of the credentials that signed it", async () => {
    assert.deepEqual(await verifyToken(token, expected()), { genuine: true, roleArn: ROLE });
    assert.deepEqual(await verifyToken(await mint(other), expected()), { genuine: true, roleArn: OTHER_ROLE });
  });

  it("does not depend on the order of the parameters", async () => {
    const query = token.slice(token.indexOf("?") + 1).split("&");
    assert.equal(await flawOf(`${DECLARED.endpoint}:5432/?${query.reverse().join("&")}`), "genuine");
  });

  it("counts a token that was only decoded and encoded again as the same", async () => {
    assert.equal(await flawOf(edited(() => {})), "genuine");
  });

  const tampered: readonly (readonly [what: string, flaw: TokenFlaw, token: () => string | Promise<string>])[] = [
    ["another host", "HOST", () => token.replace(DECLARED.endpoint, "other.eu-west-2.rds.amazonaws.com")],
    ["the host in capitals", "HOST", () => token.replace("service.proxy", "SERVICE.proxy")],
    ["another port", "PORT", () => token.replace(":5432/", ":5433/")],
    ["no port", "PORT", () => token.replace(":5432/", "/")],
    ["a user and password before the host", "HOST", () => `user:secret@${token}`],
    ["a scheme", "HOST", () => `https://${token}`],
    ["another path", "MALFORMED", () => token.replace("/?", "/path?")],
    ["another action", "ACTION", () => replaced("Action", "connect", "Connect")],
    ["another user", "USER", () => replaced("DBUser", USER, "postgres")],
    ["the user in capitals", "USER", () => replaced("DBUser", USER, USER.toUpperCase())],
    ["another algorithm", "ALGORITHM", () => replaced("X-Amz-Algorithm", "SHA256", "SHA1")],
    ["other signed headers", "SIGNED_HEADERS", () => replaced("X-Amz-SignedHeaders", "host", "host;x-amz-date")],
    ["another region", "REGION", () => replaced("X-Amz-Credential", "eu-west-2", "eu-west-1")],
    ["another service", "SERVICE", () => replaced("X-Amz-Credential", "rds-db", "rds")],
    ["another day in its scope", "DATE", () => replaced("X-Amz-Credential", /\/\d{8}\//, "/20200101/")],
    ["another end of its scope", "SCOPE", () => replaced("X-Amz-Credential", "aws4_request", "aws4")],
    ["a longer scope", "SCOPE", () => replaced("X-Amz-Credential", "aws4_request", "aws4_request/x")],
    [
      "another time",
      "SIGNATURE",
      () => replaced("X-Amz-Date", /\d\dZ$/, (Number(/(\d\d)Z/.exec(token)?.[1]) === 1 ? "02" : "01").concat("Z")),
    ],
    ["a time that is none", "DATE", () => replaced("X-Amz-Date", /T.*/, "T256199Z")],
    ["a time of another form", "DATE", () => replaced("X-Amz-Date", "T", " ")],
    ["a shorter life", "SIGNATURE", () => replaced("X-Amz-Expires", "900", "899")],
    ["a longer life", "EXPIRES", () => replaced("X-Amz-Expires", "900", "901")],
    ["no life", "EXPIRES", () => replaced("X-Amz-Expires", "900", "0")],
    ["a life that is no number", "EXPIRES", () => replaced("X-Amz-Expires", "900", "9e2")],
    [
      "another signature",
      "SIGNATURE",
      () => replaced("X-Amz-Signature", /.$/, token.endsWith("0&X-Amz-SignedHeaders=host") ? "1" : "0"),
    ],
    ["a shorter signature", "SIGNATURE", () => replaced("X-Amz-Signature", /.$/, "")],
    ["an empty signature", "SIGNATURE", () => replaced("X-Amz-Signature", /.*/, "")],
    ["another session token", "SESSION_TOKEN", () => replaced("X-Amz-Security-Token", /^I/, "J")],
    [
      "the session token of another role",
      "SESSION_TOKEN",
      () => edited((query) => query.set("X-Amz-Security-Token", other.sessionToken)),
    ],
    ["no session token", "SESSION_TOKEN", () => edited((query) => query.delete("X-Amz-Security-Token"))],
    [
      "the access key of another role",
      "SESSION_TOKEN",
      () => replaced("X-Amz-Credential", task.accessKeyId, other.accessKeyId),
    ],
    [
      "access key and session token of another role",
      "SIGNATURE",
      () =>
        edited((query) => {
          query.set(
            "X-Amz-Credential",
            (query.get("X-Amz-Credential") ?? "").replace(task.accessKeyId, other.accessKeyId),
          );
          query.set("X-Amz-Security-Token", other.sessionToken);
        }),
    ],
    ["an access key that was not issued", "UNKNOWN_ACCESS_KEY", () => mint(issueCredentials())],
    ["the access key with another secret", "SIGNATURE", () => mint({ ...task, secretAccessKey: "guessed" })],
    ["an extra parameter", "PARAMETER", () => `${token}&X-Amz-Extra=1`],
    ["a doubled parameter", "PARAMETER", () => `${token}&DBUser=${USER}`],
    [
      "a doubled session token",
      "PARAMETER",
      () => `${token}&X-Amz-Security-Token=${encodeURIComponent(task.sessionToken)}`,
    ],
    ["a parameter in other case", "PARAMETER", () => token.replace("DBUser=", "dbuser=")],
    ["a fragment", "SIGNED_HEADERS", () => `${token}#`],
    ["a line break in it", "MALFORMED", () => token.replace("&", "\n&")],
    ["a character beyond ASCII", "MALFORMED", () => `${token}é`],
    ["more than 8,192 characters", "MALFORMED", () => `${token}&X=${"x".repeat(8_192)}`],
  ];
  for (const [what, flaw, make] of tampered) {
    it(`finds ${flaw} wrong in a token with ${what}`, async () => {
      assert.equal(await flawOf(await make()), flaw);
    });
  }

  for (const name of [
    "Action",
    "DBUser",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
  ]) {
    it(`refuses a token without ${name}`, async () => {
      assert.equal(await flawOf(edited((query) => query.delete(name))), "PARAMETER");
    });
  }

  for (const [what, changes, flaw] of [
    ["another proxy", { host: "other.eu-west-2.rds.amazonaws.com" }, "HOST"],
    ["another port", { port: 5433 }, "PORT"],
    ["another region", { region: "eu-west-1" }, "REGION"],
    ["another user", { user: "someone_else" }, "USER"],
  ] as const) {
    it(`refuses a good token that is presented to ${what}`, async () => {
      assert.equal(await flawOf(token, changes), flaw);
    });
  }

  it("ends its life 900 s after it was signed, to the second", async () => {
    const [, year, month, day, hour, minute, second] =
      /X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(token)?.map(Number) ?? [];
    const signedAt = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
    assert.equal(await flawOf(token, { now: signedAt + 899_999 }), "genuine");
    assert.equal(await flawOf(token, { now: signedAt + 900_000 }), "EXPIRED");
  });

  it("forgives a clock that is five minutes behind the signer's, and no more", async () => {
    const now = Date.now();
    assert.equal(await flawOf(token, { now: now - 295_000 }), "genuine");
    assert.equal(await flawOf(token, { now: now - 305_000 }), "DATE");
  });

  it("dies with the credentials that signed it", async () => {
    const at = task.expiration.getTime();
    const dying = { ...task, expiration: new Date(Date.now() + 1_000) };
    const credentials = () => dying;
    assert.equal(await flawOf(token, { credentials }), "genuine");
    assert.equal(await flawOf(token, { credentials, now: dying.expiration.getTime() }), "CREDENTIALS_EXPIRED");
    assert.ok(at > dying.expiration.getTime());
  });

  for (const text of [
    "",
    "password",
    "/?",
    ":5432/?",
    "?",
    "a".repeat(100_000),
    `${DECLARED.endpoint}:5432/?`,
    `${DECLARED.endpoint}:5432/?%ZZ=%`,
  ]) {
    it(`survives ${JSON.stringify(text.slice(0, 70))} in place of a token`, async () => {
      assert.notEqual(await flawOf(text), "genuine");
    });
  }

  it("quotes no secret part of a token in any diagnosis", async () => {
    let judged = 0;
    for (const [, , make] of tampered) {
      const candidate = await make();
      const verdict = await verifyToken(candidate, expected());
      const text = JSON.stringify(verdict);
      for (const secret of [
        task.accessKeyId,
        task.sessionToken.slice(0, 40),
        /Signature=(\w{16})/.exec(candidate)?.[1],
      ]) {
        assert.ok(!secret || !text.includes(secret), `${text} holds a secret`);
      }
      judged += 1;
    }
    assert.equal(judged, tampered.length);
  });
});
