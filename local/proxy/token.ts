import { createHash, timingSafeEqual } from "node:crypto";
import { Sha256 } from "@smithy/core/checksum";
import { HttpRequest } from "@smithy/core/protocols";
import { SignatureV4 } from "@smithy/signature-v4";
import type { IssuedCredentials } from "./authority.ts";

/** Name under which tokens for RDS databases and proxies are signed ("IAM database authentication", Amazon RDS User Guide). */
const SERVICE = "rds-db";
const ALGORITHM = "AWS4-HMAC-SHA256";
/** A token lives 15 minutes at most ("IAM database authentication", Amazon RDS User Guide). Seconds. */
const MAX_EXPIRES_SECONDS = 900;
/** How far ahead of the proxy's clock a signing date may be: the tolerance of SigV4 requests ("Troubleshoot Signature Version 4", IAM User Guide). */
const MAX_CLOCK_SKEW_MS = 300_000;
/** Far beyond any token: one with a session token of 800 characters has some 2,400. */
const MAX_TOKEN_LENGTH = 8_192;

const REQUIRED_PARAMETERS = [
  "Action",
  "DBUser",
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
] as const;
const SESSION_TOKEN = "X-Amz-Security-Token";

/** The part of a token that is wrong. */
export type TokenFlaw =
  | "MALFORMED"
  | "HOST"
  | "PORT"
  | "PARAMETER"
  | "ACTION"
  | "USER"
  | "ALGORITHM"
  | "SIGNED_HEADERS"
  | "SCOPE"
  | "REGION"
  | "SERVICE"
  | "DATE"
  | "EXPIRES"
  | "EXPIRED"
  | "UNKNOWN_ACCESS_KEY"
  | "CREDENTIALS_EXPIRED"
  | "SESSION_TOKEN"
  | "SIGNATURE";

/** What a good token would be for. */
export interface ExpectedToken {
  /** Endpoint that the client must have signed for. */
  readonly host: string;
  readonly port: number;
  readonly region: string;
  /** Database user that the client named at start-up. */
  readonly user: string;
  /** Now, in milliseconds since the epoch. */
  readonly now: number;
  /** The credentials behind an access key id. */
  readonly credentials: (accessKeyId: string) => IssuedCredentials | undefined;
}

/** Whose token it is, or what is wrong with it. A diagnosis quotes no secret part of the token. */
export type TokenVerdict =
  | { readonly genuine: true; readonly roleArn: string }
  | { readonly genuine: false; readonly flaw: TokenFlaw; readonly diagnosis: string };

/** Carries a flaw out of the nested checks below; never leaves this file. */
class FlawedToken extends Error {
  readonly flaw: TokenFlaw;
  constructor(flaw: TokenFlaw, diagnosis: string) {
    super(diagnosis);
    this.flaw = flaw;
  }
}

/**
 * Verifies an IAM authentication token in full: it is a URL without scheme, presigned by Signature Version 4 for the
 * request `GET /?Action=connect&DBUser=…`. The whole query is rebuilt from what the proxy expects and what was issued, so
 * that nothing in the token counts but what the signature covers.
 */
export async function verifyToken(token: string, expected: ExpectedToken): Promise<TokenVerdict> {
  try {
    return { genuine: true, roleArn: await roleOf(token, expected) };
  } catch (error) {
    if (!(error instanceof FlawedToken)) throw error;
    return { genuine: false, flaw: error.flaw, diagnosis: error.message };
  }
}

async function roleOf(token: string, expected: ExpectedToken): Promise<string> {
  const parameters = readToken(token, expected);
  const read = (name: (typeof REQUIRED_PARAMETERS)[number]): string => parameters.get(name) ?? "";
  expect("ACTION", "Action", read("Action"), "connect");
  expect("USER", "DBUser", read("DBUser"), expected.user);
  expect("ALGORITHM", "X-Amz-Algorithm", read("X-Amz-Algorithm"), ALGORITHM);
  expect("SIGNED_HEADERS", "X-Amz-SignedHeaders", read("X-Amz-SignedHeaders"), "host");
  const signedAt = readDate(read("X-Amz-Date"));
  const accessKeyId = readScope(read("X-Amz-Credential"), read("X-Amz-Date").slice(0, 8), expected.region);
  const expiresIn = readExpires(read("X-Amz-Expires"));
  checkLifetime(signedAt, expiresIn, expected.now);
  const credentials = checkCredentials(accessKeyId, parameters.get(SESSION_TOKEN), expected);
  const signature = await sign(expected, credentials, signedAt, expiresIn);
  if (!equalInConstantTime(signature, read("X-Amz-Signature"))) {
    throw new FlawedToken("SIGNATURE", "The token's signature is not that of the credentials it names.");
  }
  return credentials.roleArn;
}

/** Cuts the token into its query parameters: each known one, once, and no other. */
function readToken(token: string, { host, port }: ExpectedToken): URLSearchParams {
  const cut = token.indexOf("/?");
  // What does not even look like a token may be somebody's password: no part of it is quoted.
  if (token.length > MAX_TOKEN_LENGTH || cut < 0 || !/^[!-~]+$/.test(token) || !token.includes("X-Amz-")) {
    throw new FlawedToken(
      "MALFORMED",
      "What the client gave as its password is no IAM token (HOST:PORT/?Action=connect&…).",
    );
  }
  const address = token.slice(0, cut);
  const colon = address.lastIndexOf(":");
  expect("HOST", "host", colon < 0 ? address : address.slice(0, colon), host);
  expect("PORT", "port", colon < 0 ? "" : address.slice(colon + 1), String(port));
  const parameters = new URLSearchParams(token.slice(cut + 2));
  const allowed = new Set<string>([...REQUIRED_PARAMETERS, SESSION_TOKEN]);
  for (const name of parameters.keys()) {
    if (!allowed.has(name))
      throw new FlawedToken("PARAMETER", `The token has a parameter that no token has: ${show(name)}.`);
    if (parameters.getAll(name).length > 1)
      throw new FlawedToken("PARAMETER", `The token has the parameter ${name} more than once.`);
  }
  for (const name of REQUIRED_PARAMETERS) {
    if (!parameters.has(name)) throw new FlawedToken("PARAMETER", `The token lacks the parameter ${name}.`);
  }
  return parameters;
}

function readDate(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const time = parts ? Date.parse(text.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5")) : Number.NaN;
  if (Number.isNaN(time))
    throw new FlawedToken("DATE", `X-Amz-Date is ${show(text)}, not a time such as 20260131T235959Z.`);
  return time;
}

/** Checks the credential scope and returns the access key id in front of it. */
function readScope(text: string, day: string, region: string): string {
  const [accessKeyId = "", scopeDay = "", scopeRegion = "", service = "", terminator = "", ...rest] = text.split("/");
  if (rest.length > 0 || terminator !== "aws4_request" || accessKeyId === "") {
    throw new FlawedToken("SCOPE", "X-Amz-Credential is not of the form KEY/DATE/REGION/rds-db/aws4_request.");
  }
  expect("DATE", "the date of X-Amz-Credential", scopeDay, day);
  expect("REGION", "the region of X-Amz-Credential", scopeRegion, region);
  expect("SERVICE", "the service of X-Amz-Credential", service, SERVICE);
  return accessKeyId;
}

function readExpires(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > MAX_EXPIRES_SECONDS) {
    throw new FlawedToken(
      "EXPIRES",
      `X-Amz-Expires is ${show(text)}; 1 to ${MAX_EXPIRES_SECONDS} seconds are allowed.`,
    );
  }
  return seconds;
}

function checkLifetime(signedAt: number, expiresIn: number, now: number): void {
  if (signedAt > now + MAX_CLOCK_SKEW_MS) {
    throw new FlawedToken(
      "DATE",
      `The token is signed ${Math.round((signedAt - now) / 1000)} s in the future: compare the clocks.`,
    );
  }
  if (now >= signedAt + expiresIn * 1000) {
    throw new FlawedToken(
      "EXPIRED",
      `The token was signed ${Math.round((now - signedAt) / 1000)} s ago for ${expiresIn} s.`,
    );
  }
}

function checkCredentials(
  accessKeyId: string,
  sessionToken: string | undefined | null,
  { credentials, now }: ExpectedToken,
): IssuedCredentials {
  const issued = credentials(accessKeyId);
  if (!issued)
    throw new FlawedToken(
      "UNKNOWN_ACCESS_KEY",
      "The token is signed with credentials that were not issued to any declared role.",
    );
  if (issued.expiration.getTime() <= now) {
    throw new FlawedToken(
      "CREDENTIALS_EXPIRED",
      `The credentials that signed the token expired at ${issued.expiration.toISOString()}.`,
    );
  }
  if (!equalInConstantTime(issued.sessionToken, sessionToken ?? "")) {
    throw new FlawedToken("SESSION_TOKEN", "The token's session token is not that of the credentials it names.");
  }
  return issued;
}

async function sign(
  { host, port, region, user }: ExpectedToken,
  credentials: IssuedCredentials,
  signedAt: number,
  expiresIn: number,
): Promise<string> {
  const signer = new SignatureV4({ service: SERVICE, region, credentials, sha256: Sha256 });
  const request = new HttpRequest({
    method: "GET",
    protocol: "https:",
    hostname: host,
    port,
    path: "/",
    query: { Action: "connect", DBUser: user },
    headers: { host: `${host}:${port}` },
  });
  const signed = await signer.presign(request, { signingDate: new Date(signedAt), expiresIn });
  return String(signed.query?.["X-Amz-Signature"]);
}

function expect(flaw: TokenFlaw, what: string, found: string, wanted: string): void {
  if (found !== wanted)
    throw new FlawedToken(flaw, `The token is for another ${what}: ${show(found)} where ${show(wanted)} was expected.`);
}

/** Compares two texts in a time that tells nothing about either, their lengths included. */
export function equalInConstantTime(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** Quotes a text from outside: bounded, and without control characters. */
const show = (text: string): string => JSON.stringify(text.slice(0, 100));
