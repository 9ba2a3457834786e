import { errorCode } from "./errors.ts";

/** What an error of connection establishment means for the next attempt. */
export interface Verdict {
  readonly reason: string;
  readonly retry: boolean;
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
const RULES: readonly Rule[] = [
  // Configuration that no waiting cures.
  { reason: "FEATURE_NOT_SUPPORTED", retry: false, message: /^Feature not supported/ },
  { reason: "TLS_REQUIRED", retry: false, message: /requires TLS connections|allowed only with SSL connections/ },
  {
    reason: "TLS_VERIFICATION",
    retry: false,
    codes: /^(?:ERR_TLS_.*|ERR_SSL_.*|CERT_.*|.*_CERT|.*_CERT_.*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH)$/,
  },
  { reason: "NO_SUCH_DATABASE", retry: false, codes: /^3D000$/ },

  // Rotation gives the database its new password before the secret's new version is AWSCURRENT: a few seconds in which the proxy's own
  // log-in fails ("Rotate AWS Secrets Manager secrets", single-user strategy).
  { reason: "ROTATION_WINDOW", retry: true, message: /^The password that was provided for the role .* is wrong/ },
  { reason: "PASSWORD_REJECTED", retry: true, message: /password authentication failed/ },

  // Ahead of the failed authentication, whose text begins alike. AWS advises fewer than 200 new IAM connections a second.
  { reason: "TOO_MANY_REQUESTS", retry: true, message: /too many competing requests/ },
  // A fresh `rds-db:connect` takes seconds to reach the proxy, and until then looks like a missing one.
  { reason: "GRANT_NOT_YET_KNOWN", retry: true, message: /^The IAM authentication failed/ },
  // So does a fresh policy on the secret: the proxy cannot read the secret yet, and says that it has none. A wrong user says the same, for
  // ever; the budget ends that.
  { reason: "CREDENTIALS_NOT_YET_KNOWN", retry: true, message: /has no credentials for the role/ },

  { reason: "BORROW_TIMEOUT", retry: true, message: /^Timed-out waiting to acquire database connection/ },
  {
    reason: "PROXY_LIMIT",
    retry: true,
    message: /^(?:The maximum number of client connections to the proxy|Rate of connection to proxy) exceeded/,
  },

  { reason: "SERVER_NOT_READY", retry: true, codes: /^57P0[123]$/ },
  { reason: "TOO_MANY_CONNECTIONS", retry: true, codes: /^53300$/ },
  { reason: "CONNECTION_EXCEPTION", retry: true, codes: /^08\w{3}$/ },
  { reason: "NO_ANSWER", retry: true, codes: /^CONNECT_TIMEOUT$/ },
  // A slow credentials endpoint, not a refusal: the signer itself waits for ever.
  { reason: "MINT_TIMEOUT", retry: true, codes: /^MINT_TIMEOUT$/ },
  // The endpoint of a proxy that was just created may not resolve at once, and says what a misspelt one says for ever (ENOTFOUND); a
  // resolver that did not answer says EAI_AGAIN. The budget tells them apart.
  { reason: "NAME_NOT_RESOLVED", retry: true, codes: /^(?:ENOTFOUND|EAI_AGAIN)$/ },
  {
    reason: "NETWORK",
    retry: true,
    codes: /^(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
  },
  // node-postgres gives these no code.
  { reason: "CONNECTION_CLOSED", retry: true, message: /^Connection terminated/ },
];

const UNKNOWN: Verdict = { reason: "UNCLASSIFIED", retry: false };

/** Judges an error of connection establishment by the table above. */
export function judgeEstablishmentError(error: unknown): Verdict {
  if (!(error instanceof Error)) return UNKNOWN;
  // Happy eyeballs reports one error for each address that it tried.
  if (error instanceof AggregateError && errorCode(error) === error.name) {
    return error.errors.length === 0 ? UNKNOWN : judgeEstablishmentError(error.errors[0]);
  }
  const code = errorCode(error);
  const rule = RULES.find((r) => r.message?.test(error.message) || r.codes?.test(code));
  return rule ? { reason: rule.reason, retry: rule.retry } : UNKNOWN;
}

/** First pause between attempts, in milliseconds. */
const FIRST_DELAY_MS = 100;
/** Longest pause: a rotation window lasts a few seconds, and the connection should come soon after its end. */
const LONGEST_DELAY_MS = 2_000;

/**
 * Pause before the next attempt, in milliseconds: exponential, half of it random ("Exponential Backoff And Jitter", AWS Architecture
 * Blog), so that connections that failed together do not come back together.
 *
 * @param attempt number of the attempt that failed, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + random / 2));
}
