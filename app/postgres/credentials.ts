import { readFile } from "node:fs/promises";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { errorCode, PoolError, type PoolErrorCode } from "./errors.ts";

/** What is wrong with the source of the AWS credentials. */
export interface CredentialsProblem {
  readonly code: Extract<PoolErrorCode, "NO_CREDENTIALS" | "CREDENTIALS_THROTTLED" | "CREDENTIALS_UNAVAILABLE">;
  readonly message: string;
}

type CredentialsProvider = ReturnType<typeof fromNodeProviderChain>;

/**
 * How long one refresh before the time stands for all, in milliseconds. The signer asks for one at every token while its credentials have less
 * than 15 minutes to live; a source that has no newer ones gives the same again, or refuses a task that asks too often.
 */
const REFRESH_PAUSE_MS = 30_000;
/** Life from which on that can wait, in milliseconds: with less the SDK takes credentials for expired. */
const UNHURRIED_MS = 5 * 60_000;

/**
 * Passes on at most one request a pause to refresh credentials that still have minutes to live; whoever asks meanwhile has the outcome of that one.
 */
export function refreshSparingly(chain: CredentialsProvider, now: () => number): CredentialsProvider {
  let last: { readonly at: number; readonly outcome: ReturnType<CredentialsProvider> } | undefined;
  let expiresAt = Number.POSITIVE_INFINITY;
  return async (properties) => {
    if (!properties?.forceRefresh) {
      const credentials = await chain(properties);
      expiresAt = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      return credentials;
    }
    const hurried = expiresAt - now() < UNHURRIED_MS;
    // A clock that was set back has no say in it.
    if (hurried || last === undefined || Math.abs(now() - last.at) >= REFRESH_PAUSE_MS) {
      last = { at: now(), outcome: chain(properties) };
    }
    return last.outcome;
  };
}

/**
 * The SDK's default chain, which fetches once for all who ask at the same time and keeps what it got. Credentials that have expired are
 * refused here: the proxy would only call the token wrong.
 *
 * @throws PoolError `CREDENTIALS_EXPIRED`
 */
export function defaultCredentials(now: () => number = Date.now): CredentialsProvider {
  const chain = refreshSparingly(fromNodeProviderChain(), now);
  return async (properties) => {
    const credentials = await chain(properties);
    const expiredMs = credentials.expiration === undefined ? 0 : now() - credentials.expiration.getTime();
    if (expiredMs > 0) {
      throw new PoolError(
        "CREDENTIALS_EXPIRED",
        `The AWS credentials expired ${Math.ceil(expiredMs / 1_000)} s ago by this machine's clock: their source is late with new ones, or the clock is ahead. Check the clock`,
      );
    }
    return credentials;
  };
}

/** Address of the container credential provider on ECS ("Container credential provider", AWS SDKs and Tools Reference Guide). */
const ECS_AGENT = "http://169.254.170.2";

/** Hosts that may be asked without TLS: of the agents of ECS and EKS, and loopback. The SDK asks no others. */
const TRUSTED_HOSTS = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|169\.254\.170\.(?:2|23)|\[fd00:ec2::23\])$/;

/** Whether a container credentials endpoint may be shown the authorization. */
function isTrusted(endpoint: string): boolean {
  const url = URL.parse(endpoint);
  return url !== null && (url.protocol === "https:" || TRUSTED_HOSTS.test(url.hostname));
}

/**
 * Finds out why the SDK found no credentials: its chain says only that no provider had any. Where the environment names a container
 * credentials endpoint, that one is asked once more, and its status tells. What the answer holds is not read.
 *
 * @returns undefined when the environment names no such endpoint: then nothing but the SDK's own error is known
 */
export async function explainCredentials(
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<CredentialsProblem | undefined> {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri } = environment;
  const endpoint = path ? `${ECS_AGENT}${path}` : uri;
  if (!endpoint) return undefined;
  if (!isTrusted(endpoint)) return unavailable("The SDK asks no such host for container credentials");
  try {
    const headers = await authorization(environment);
    const { status, body } = await fetch(endpoint, { signal, headers, redirect: "error" });
    await body?.cancel();
    return judgeStatus(status);
  } catch (error) {
    signal.throwIfAborted();
    const { cause } = error instanceof Error ? error : {};
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : errorCode(error);
    return unavailable(`The container credentials endpoint cannot be asked (${code})`);
  }
}

async function authorization(environment: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const file = environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const token = file ? (await readFile(file, "utf8")).trim() : environment.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  return token ? { authorization: token } : {};
}

/** Statuses by RFC 9110; 429 by RFC 6585. */
function judgeStatus(status: number): CredentialsProblem {
  if (status < 400) {
    return unavailable(`The SDK had no credentials; asked again, their endpoint answers with status ${status}`);
  }
  const answered = `The container credentials endpoint answered with status ${status}`;
  if (status === 429) {
    return { code: "CREDENTIALS_THROTTLED", message: `${answered}: it is asked too often` };
  }
  if (status >= 500) return unavailable(`${answered}: it has failed`);
  return {
    code: "NO_CREDENTIALS",
    message: `${answered}: it has no credentials for this task, or AWS_CONTAINER_AUTHORIZATION_TOKEN is wrong`,
  };
}

const unavailable = (message: string): CredentialsProblem => ({ code: "CREDENTIALS_UNAVAILABLE", message });
