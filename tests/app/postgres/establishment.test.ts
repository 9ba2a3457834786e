import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { PoolError } from "../../../app/postgres/errors.ts";
import { backoffMs, judgeEstablishmentError } from "../../../app/postgres/establishment.ts";

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
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH"].map((code): [string, Error] => [
    "NETWORK",
    coded(code),
  ]),
  ["NAME_NOT_RESOLVED", coded("ENOTFOUND", "getaddrinfo ENOTFOUND new.proxy-abc.eu-west-2.rds.amazonaws.com")],
  ["NAME_NOT_RESOLVED", coded("EAI_AGAIN")],
  ["NETWORK", new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")])],
];

const FINAL: readonly [string, unknown][] = [
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
      assert.deepEqual(judgeEstablishmentError(error), { reason, retry: true });
    });
  }
  for (const [reason, error] of FINAL) {
    it(`are final: ${error instanceof Error && "code" in error ? error.code : String(error)}`, () => {
      assert.deepEqual(judgeEstablishmentError(error), { reason, retry: false });
    });
  }
});

describe("The pause between attempts", () => {
  it("doubles up to two seconds, and half of it is random", () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => backoffMs(attempt, 0)),
      [50, 100, 200, 400, 800, 1000, 1000, 1000],
    );
    assert.equal(backoffMs(1, 0.5), 75);
    assert.equal(backoffMs(9, 0.999), 1999);
  });
});
