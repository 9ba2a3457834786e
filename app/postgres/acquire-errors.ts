import { AcquireError, type Attempt, errorCode } from "./errors.ts";
import type { Verdict } from "./establishment.ts";
import type { Identity } from "./event-log.ts";
import { scrub } from "./scrub.ts";
import type { Waiter } from "./waiting-line.ts";

const NONE = { attempts: [], lastError: undefined };

/** Describes a failed attempt, without any part of a token. */
export function attemptOf(error: Error, { reason }: Verdict, at: number, tookMs: number): Attempt {
  return { at, tookMs: Math.round(tookMs), reason, errorCode: errorCode(error), error: scrub(error.message) };
}

/** No connection, since the last error cannot pass by itself or the budget is spent. */
export function connectFailed({ host, user }: Identity, { failures }: Waiter, verdict: Verdict): AcquireError {
  const { attempts, lastError } = failures ?? NONE;
  const tries = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`;
  const message = `No connection to ${host} as ${user} after ${tries}: ${describe(lastError)}${listed(verdict.causes)}`;
  const failure = { host, attempts, reason: verdict.reason, causes: verdict.causes };
  return new AcquireError("CONNECT_FAILED", message, failure, { cause: lastError });
}

/** No connection within the overall limit. */
export function acquireTimeout(
  { host }: Identity,
  { failures }: Waiter,
  verdict: Verdict | undefined,
  limitMs: number,
  pool: { readonly max: number; readonly lent: number; readonly running: number },
): AcquireError {
  const { attempts, lastError } = failures ?? NONE;
  const why = lastError
    ? `the last of ${attempts.length} failed attempts said: ${describe(lastError)}${listed(verdict?.causes ?? [])}`
    : whyOnlyWaited(pool);
  const message = `No connection to ${host} within ${limitMs} ms: ${why}`;
  const failure = { host, attempts, reason: verdict?.reason, causes: verdict?.causes ?? [] };
  return new AcquireError("ACQUIRE_TIMEOUT", message, failure, lastError ? { cause: lastError } : undefined);
}

/** Why there was no connection, though no attempt has failed. */
function whyOnlyWaited({ max, lent, running }: { max: number; lent: number; running: number }): string {
  if (running > 0) {
    return `${running} ${running === 1 ? "was" : "were"} still being established, by a mint, a handshake or a hook that takes its time`;
  }
  if (lent >= max) return `all ${max} connections were lent: does something not release them?`;
  return `${lent} of at most ${max} connections were lent or being looked at`;
}

function describe(error: Error | undefined): string {
  if (!error) return "nothing is known of it";
  return scrub(error.message === "" ? errorCode(error) : error.message);
}

function listed(causes: readonly string[]): string {
  const [only, ...others] = causes;
  if (only === undefined) return "";
  if (others.length === 0) return ` (cause: ${only})`;
  return ` (possible causes: ${causes.map((cause, index) => `${index + 1}. ${cause}`).join("; ")})`;
}
