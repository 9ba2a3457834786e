import { errorCode } from "./errors.ts";

/** What an error of connection establishment means for the next attempt. */
export interface Verdict {
  readonly reason: string;
  readonly retry: boolean;
  /** What can be behind it, each with what to do about it; several where one text has several causes. */
  readonly causes: readonly string[];
}

interface Rule extends Verdict {
  /** Part of the message. */
  readonly message?: RegExp;
  /** SQLSTATEs or codes of Node and of the pool, as a whole. */
  readonly codes?: RegExp;
}

/**
 * Which errors of connection establishment are worth another attempt: the first rule that matches decides, and what no rule knows is
 * not retried. The texts are those that RDS Proxy shows to clients ("Troubleshooting for RDS Proxy", Amazon RDS User Guide); its SQLSTATEs
 * are not documented, so texts come before codes. SQLSTATEs: "PostgreSQL Error Codes", appendix A. Codes of Node: "Common system
 * errors". Only establishment is judged here: a statement is never retried.
 */
export const RULES: readonly Rule[] = [
  // Configuration that no waiting cures.
  {
    reason: "FEATURE_NOT_SUPPORTED",
    retry: false,
    message: /^Feature not supported/,
    causes: ["RDS Proxy does not take this startup parameter: set it with ALTER ROLE … SET in a migration"],
  },
  {
    reason: "TLS_REQUIRED",
    retry: false,
    message: /requires TLS connections|allowed only with SSL connections/,
    causes: ["something between here and the proxy ends TLS: connect to the proxy's own endpoint"],
  },
  {
    reason: "TLS_NOT_OFFERED",
    retry: false,
    message: /^The server does not support SSL connections/,
    causes: ["the host is no RDS Proxy, and a token is sent over verified TLS only"],
  },
  {
    reason: "TLS_VERIFICATION",
    retry: false,
    codes: /^(?:ERR_TLS_.*|ERR_SSL_.*|CERT_.*|.*_CERT|.*_CERT_.*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH)$/,
    causes: [
      "'host' is not the proxy's own endpoint, such as a DNS name in front of it",
      "'ca' is not the authority behind the certificate: RDS Proxy needs none, the instance behind it does",
    ],
  },
  {
    reason: "NO_SUCH_DATABASE",
    retry: false,
    codes: /^3D000$/,
    causes: ["'database' names one that does not exist"],
  },

  // Rotation gives the database its new password before the secret's new version is AWSCURRENT: a few seconds in which the proxy's own
  // log-in fails ("Rotate AWS Secrets Manager secrets", single-user strategy).
  {
    reason: "ROTATION_WINDOW",
    retry: true,
    message: /^The password that was provided for the role .* is wrong/,
    causes: [
      "the secret is being rotated: that passes within seconds",
      "the database's password was changed without the secret: rotate the secret",
    ],
  },
  {
    reason: "PASSWORD_REJECTED",
    retry: true,
    message: /password authentication failed/,
    causes: [
      "the secret is being rotated: that passes within seconds",
      "'host' is the instance and not the proxy: the instance does not know this token",
    ],
  },

  // Ahead of the failed authentication, whose text begins alike. AWS advises fewer than 200 new IAM connections a second.
  {
    reason: "TOO_MANY_REQUESTS",
    retry: true,
    message: /too many competing requests/,
    causes: ["more than about 200 new IAM connections a second reach the proxy, from all its clients together"],
  },
  // A fresh `rds-db:connect` takes seconds to reach the proxy, and until then looks like a missing one.
  {
    reason: "GRANT_NOT_YET_KNOWN",
    retry: true,
    message: /^The IAM authentication failed/,
    causes: [
      "the grant is new: rds-db:connect takes some seconds to reach the proxy",
      "the role lacks rds-db:connect on this proxy's resource id (prx-…) for this database user, in this letter case",
      "the token was signed for another endpoint, port, region or user, or with credentials that have expired",
      "this machine's clock is off by minutes: check the clock",
    ],
  },
  // So does a fresh policy on the secret: the proxy cannot read the secret yet, and says that it has none. A wrong user says the same, for
  // ever; the budget ends that.
  {
    reason: "CREDENTIALS_NOT_YET_KNOWN",
    retry: true,
    message: /has no credentials for the role/,
    causes: [
      "the proxy's role may not read or decrypt the secret, or may only since some seconds",
      "'user' is not the user in the proxy's secret, in its letter case",
    ],
  },

  {
    reason: "BORROW_TIMEOUT",
    retry: true,
    message: /^Timed-out waiting to acquire database connection/,
    causes: [
      "the proxy cannot reach the database, as in a failover",
      "every database connection that the proxy may open is in use",
    ],
  },
  {
    reason: "PROXY_LIMIT",
    retry: true,
    message: /^(?:The maximum number of client connections to the proxy|Rate of connection to proxy) exceeded/,
    causes: ["more clients, or more new ones a second, than the proxy takes"],
  },

  {
    reason: "SERVER_NOT_READY",
    retry: true,
    codes: /^57P0[123]$/,
    causes: ["the database is being shut down, restarted or failed over"],
  },
  {
    reason: "TOO_MANY_CONNECTIONS",
    retry: true,
    codes: /^53300$/,
    causes: ["max_connections of the database is used up"],
  },
  {
    reason: "CONNECTION_EXCEPTION",
    retry: true,
    codes: /^08\w{3}$/,
    causes: ["the connection broke while it was established"],
  },
  {
    reason: "NO_ANSWER",
    retry: true,
    codes: /^CONNECT_TIMEOUT$/,
    causes: [
      "the security groups do not let this host reach the proxy on its port",
      "the proxy, or the network to it, is gone without a word",
    ],
  },
  // What keeps a mint from succeeding may pass: an endpoint that is slow, throttled, restarting, or late with new credentials.
  {
    reason: "MINT_TIMEOUT",
    retry: true,
    codes: /^MINT_TIMEOUT$/,
    causes: ["the source of the AWS credentials does not answer"],
  },
  {
    reason: "CREDENTIALS_THROTTLED",
    retry: true,
    codes: /^CREDENTIALS_THROTTLED$/,
    causes: ["the source of the AWS credentials is asked too often, by this task or its neighbours"],
  },
  {
    reason: "CREDENTIALS_UNAVAILABLE",
    retry: true,
    codes: /^CREDENTIALS_UNAVAILABLE$/,
    causes: ["the source of the AWS credentials is down or being restarted"],
  },
  {
    reason: "CREDENTIALS_EXPIRED",
    retry: true,
    codes: /^CREDENTIALS_EXPIRED$/,
    causes: [
      "the source of the AWS credentials is late with new ones",
      "this machine's clock is ahead: check the clock",
    ],
  },
  {
    reason: "NO_CREDENTIALS",
    retry: false,
    codes: /^NO_CREDENTIALS$/,
    causes: ["the task has no role", "AWS_CONTAINER_AUTHORIZATION_TOKEN is not the endpoint's"],
  },
  {
    reason: "MINT_FAILED",
    retry: false,
    codes: /^MINT_FAILED$/,
    causes: [
      "the process has no source of AWS credentials, or that has failed: the signer's own error, at the root, says more",
    ],
  },
  // The endpoint of a proxy that was just created may not resolve at once, and says what a misspelt one says for ever (ENOTFOUND); a
  // resolver that did not answer says EAI_AGAIN. The budget tells them apart.
  {
    reason: "NAME_NOT_RESOLVED",
    retry: true,
    codes: /^(?:ENOTFOUND|EAI_AGAIN)$/,
    causes: ["the proxy is new, and its name not known yet", "'host' is misspelt", "the resolver does not answer"],
  },
  {
    reason: "NETWORK",
    retry: true,
    codes: /^(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    causes: ["the proxy is not there, or is being replaced"],
  },
  // node-postgres gives these no code.
  {
    reason: "CONNECTION_CLOSED",
    retry: true,
    message: /^Connection terminated/,
    causes: ["the proxy closed the connection while it was established"],
  },
];

const UNKNOWN: Verdict = { reason: "UNCLASSIFIED", retry: false, causes: [] };

/** Judges an error of connection establishment by the table above. */
export function judgeEstablishmentError(error: unknown): Verdict {
  if (!(error instanceof Error)) return UNKNOWN;
  // Happy eyeballs reports one error for each address that it tried.
  if (error instanceof AggregateError && errorCode(error) === error.name) {
    return error.errors.length === 0 ? UNKNOWN : judgeEstablishmentError(error.errors[0]);
  }
  const code = errorCode(error);
  const rule = RULES.find((r) => r.message?.test(error.message) || r.codes?.test(code));
  return rule ? { reason: rule.reason, retry: rule.retry, causes: rule.causes } : UNKNOWN;
}
