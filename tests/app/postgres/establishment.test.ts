import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { PoolError } from "../../../app/postgres/errors.ts";
import { judgeEstablishmentError } from "../../../app/postgres/establishment.ts";
import { backoffMs } from "../../../app/postgres/gate.ts";

function coded(code: string, message = "an error"): Error {
  return Object.assign(new Error(message), { code });
}

const RETRIED: readonly [string, Error][] = [
  ["ROTATION_WINDOW", coded("28P01", "The password that was provided for the role app_master is wrong.")],
  ["PASSWORD_REJECTED", coded("28P01", 'password authentication failed for user "app_master"')],
  [
    "GRANT_NOT_YET_KNOWN",
    coded("28000", "The IAM authentication failed for the role app. Check the IAM token for this role and try again."),
  ],
  [
    "CREDENTIALS_NOT_YET_KNOWN",
    coded(
      "28000",
      "This RDS proxy has no credentials for the role app. Check the credentials for this role and try again.",
    ),
  ],
  ["TOO_MANY_REQUESTS", new Error("The IAM authentication failed because of too many competing requests.")],
  ["BORROW_TIMEOUT", new Error("Timed-out waiting to acquire database connection.")],
  ["PROXY_LIMIT", new Error("The maximum number of client connections to the proxy exceeded 100.")],
  ["PROXY_LIMIT", new Error("Rate of connection to proxy exceeded 10.")],
  ["SERVER_NOT_READY", coded("57P03", "the database system is starting up")],
  ["TOO_MANY_CONNECTIONS", coded("53300", "sorry, too many clients already")],
  ["CONNECTION_EXCEPTION", coded("08006")],
  ["CONNECTION_CLOSED", new Error("Connection terminated unexpectedly")],
  ["NO_ANSWER", new PoolError("CONNECT_TIMEOUT", "silence")],
  ["MINT_TIMEOUT", new PoolError("MINT_TIMEOUT", "silence")],
  ["CREDENTIALS_THROTTLED", new PoolError("CREDENTIALS_THROTTLED", "429")],
  ["CREDENTIALS_UNAVAILABLE", new PoolError("CREDENTIALS_UNAVAILABLE", "503")],
  ["CREDENTIALS_EXPIRED", new PoolError("CREDENTIALS_EXPIRED", "late")],
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH"].map((code): [string, Error] => [
    "NETWORK",
    coded(code),
  ]),
  ["NAME_NOT_RESOLVED", coded("ENOTFOUND", "getaddrinfo ENOTFOUND new.proxy-abc.eu-west-2.rds.amazonaws.com")],
  ["NAME_NOT_RESOLVED", coded("EAI_AGAIN")],
  ["NETWORK", new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")])],
];

const FINAL: readonly [string, unknown][] = [
  ["NO_CREDENTIALS", new PoolError("NO_CREDENTIALS", "404")],
  ["MINT_FAILED", new PoolError("MINT_FAILED", "anything")],
  ["TLS_NOT_OFFERED", new Error("The server does not support SSL connections")],
  ["NO_SUCH_DATABASE", coded("3D000", 'database "nope" does not exist')],
  ["FEATURE_NOT_SUPPORTED", coded("08P01", "Feature not supported: RDS Proxy currently doesn't support the option x.")],
  ["TLS_REQUIRED", new Error("This RDS Proxy requires TLS connections.")],
  ["TLS_REQUIRED", new Error("IAM authentication is allowed only with SSL connections.")],
  ...[
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "CERT_HAS_EXPIRED",
  ].map((code): [string, Error] => ["TLS_VERIFICATION", coded(code)]),
  ["UNCLASSIFIED", coded("42501", "permission denied")],
  ["UNCLASSIFIED", new AggregateError([])],
  ["UNCLASSIFIED", "no error at all"],
];

describe("Errors of establishment", () => {
  for (const [reason, error] of RETRIED) {
    it(`are retried: ${String(error)}`, () => {
      const { causes, ...verdict } = judgeEstablishmentError(error);
      assert.deepEqual(verdict, { reason, retry: true });
      assert.ok(causes.length > 0);
    });
  }
  for (const [reason, error] of FINAL) {
    it(`are final: ${error instanceof Error && "code" in error ? error.code : String(error)}`, () => {
      const { causes, ...verdict } = judgeEstablishmentError(error);
      assert.deepEqual(verdict, { reason, retry: false });
      assert.equal(causes.length === 0, reason === "UNCLASSIFIED");
    });
  }
});

describe("The pause between attempts", () => {
  it("doubles up to a second, and half of it is random", () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => backoffMs(attempt, 0)),
      [50, 100, 200, 400, 500, 500, 500, 500],
    );
    assert.equal(backoffMs(1, 0.5), 75);
    assert.equal(backoffMs(9, 0.999), 1000);
  });
});

describe("One text with several causes", () => {
  const AMBIGUOUS: readonly (readonly [string, readonly RegExp[]])[] = [
    ["The password that was provided for the role app is wrong.", [/is being rotated/, /without the secret/]],
    [
      "The IAM authentication failed for the role app. Check the IAM token for this role and try again.",
      [/grant is new/, /lacks rds-db:connect/, /signed for another endpoint/, /check the clock/],
    ],
    [
      "This RDS proxy has no credentials for the role app.",
      [/may not read or decrypt/, /not the user in the proxy's secret/],
    ],
    ["Timed-out waiting to acquire database connection.", [/cannot reach the database/, /is in use/]],
  ];
  for (const [text, expected] of AMBIGUOUS) {
    it(`names each of them: ${text}`, () => {
      const { causes } = judgeEstablishmentError(new Error(text));
      assert.equal(causes.length, expected.length);
      for (const [index, cause] of expected.entries()) assert.match(causes[index] ?? "", cause);
    });
  }
});
