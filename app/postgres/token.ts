import type { Clock } from "./clock.ts";
import type { CredentialsProblem } from "./credentials.ts";
import { asError, errorCode, PoolError } from "./errors.ts";
import type { PoolTelemetry } from "./telemetry.ts";

/** Mints IAM tokens: a `Signer` of `@aws-sdk/rds-signer`, or something that stands for it. */
export interface TokenSigner {
  getAuthToken(): Promise<string>;
}

/** Mints one token within a limit, and says why when it cannot. */
export interface TokenSource {
  /**
   * A fresh token.
   *
   * @throws PoolError `MINT_TIMEOUT`, `NO_CREDENTIALS`, `CREDENTIALS_EXPIRED`, `CREDENTIALS_THROTTLED`, `CREDENTIALS_UNAVAILABLE`,
   *   `MINT_FAILED`; the signer's own error is the `cause`
   * @throws the signal's reason
   */
  mint(signal: AbortSignal): Promise<string>;
}

/** Finds out why there are no credentials. */
export type Explain = (signal: AbortSignal) => Promise<CredentialsProblem | undefined>;

/** What AWS STS answers to credentials that have expired ("Common Errors", AWS STS API Reference). */
const EXPIRED: ReadonlySet<string> = new Set(["ExpiredToken", "ExpiredTokenException"]);
/** The SDK's error for "no source gave credentials", whatever kept each from it. */
const HIDDEN = "CredentialsProviderError";

/**
 * @param signer one for the whole pool: its provider chain fetches credentials once, however many connections open at the same time
 * @param limitMs of one mint, the search for the cause of a failure included
 * @param explain where the signer's credentials are known to come from the SDK's default chain
 */
export function tokenSource(
  signer: TokenSigner,
  limitMs: number,
  clock: Clock,
  telemetry: Pick<PoolTelemetry, "minted" | "mintFailed">,
  explain?: Explain,
): TokenSource {
  return {
    async mint(signal) {
      signal.throwIfAborted();
      const began = clock.now();
      const ended = new AbortController();
      const timer = setTimeout(() => ended.abort(tooSlow(limitMs)), limitMs);
      const end = () => ended.abort(signal.reason);
      signal.addEventListener("abort", end, { once: true });
      try {
        const token = await unlessEnded(mintOrExplain(signer, ended.signal, explain), ended.signal);
        telemetry.minted(clock.now() - began);
        return token;
      } catch (error) {
        // One that was called off has not failed.
        if (!signal.aborted) telemetry.mintFailed(clock.now() - began, errorCode(error));
        throw error;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
      }
    },
  };
}

async function mintOrExplain(signer: TokenSigner, signal: AbortSignal, explain?: Explain): Promise<string> {
  try {
    const token: unknown = await signer.getAuthToken();
    if (typeof token === "string" && token !== "") return token;
    throw new TypeError(`it gave ${token === "" ? "an empty text" : `something of type ${typeof token}`} for a token`);
  } catch (cause) {
    if (cause instanceof PoolError) throw cause;
    const name = cause instanceof Error ? cause.name : "";
    if (EXPIRED.has(name))
      throw new PoolError("CREDENTIALS_EXPIRED", `The AWS credentials have expired (${name})`, { cause });
    const problem = name === HIDDEN ? await explain?.(signal) : undefined;
    throw toPoolError(problem, cause);
  }
}

function toPoolError(problem: CredentialsProblem | undefined, cause: unknown): PoolError {
  if (problem) return new PoolError(problem.code, problem.message, { cause });
  const { message } = asError(cause);
  return new PoolError("MINT_FAILED", `The signer made no token (${errorCode(cause)}): ${message}`, { cause });
}

const tooSlow = (limitMs: number): PoolError =>
  new PoolError("MINT_TIMEOUT", `No token within ${limitMs} ms: does the source of the AWS credentials answer?`);

async function unlessEnded<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  // Should it come too late, its failure is of no interest to anyone.
  work.catch(() => {});
  return Promise.race([work, promise]);
}
