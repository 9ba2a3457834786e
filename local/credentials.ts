import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import fastify from "fastify";
import { type CredentialsFaultPoints, CredentialsFaults } from "./faults/credentials-points.ts";
import type { IssuedCredentials } from "./proxy/authority.ts";

/**
 * How long the credentials of an ECS task live: six hours. Seen on ECS, where the agent fetches new ones well before; no
 * AWS page promises it.
 */
export const taskCredentialsLifetimeSeconds = 6 * 60 * 60;

/** Credentials are replaced when this much of their life is left, or half of it where they live less than twice as long. */
const renewalMarginMs = 15 * 60 * 1_000;

/** Length of a session token in characters: AWS promises none, and those of today have about this many. */
const sessionTokenLength = 800;

/** RFC 4648 base32: what access key ids are made of after their prefix. */
const keyIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Issues temporary credentials, as AWS STS does, and knows again those that live. */
export interface SecurityTokenService {
  /**
   * New credentials for a session of the role.
   *
   * @param lifetimeSeconds above 0; six hours, as on ECS, by default
   * @throws RangeError for a lifetime that is no positive number
   */
  issue(roleArn: string, lifetimeSeconds?: number): IssuedCredentials;
  /** The credentials under an access key id: undefined when none were issued under it, or they have expired. */
  find(accessKeyId: string): IssuedCredentials | undefined;
  /** Forgets everything issued so far, until the function that comes back is called. */
  expireAll(): () => void;
}

/** What a test replaces. */
export interface SecurityTokenServiceOptions {
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly now?: () => number;
}

/** Makes a service that has issued nothing yet. */
export function createSecurityTokenService({ now = Date.now }: SecurityTokenServiceOptions = {}): SecurityTokenService {
  const issued = new Map<string, IssuedCredentials>();
  const hasExpired = (credentials: IssuedCredentials): boolean => credentials.expiration.getTime() <= now();
  return {
    issue(roleArn, lifetimeSeconds = taskCredentialsLifetimeSeconds) {
      if (!Number.isFinite(lifetimeSeconds) || lifetimeSeconds <= 0) {
        throw new RangeError(`lifetimeSeconds is ${lifetimeSeconds}: a positive number of seconds is needed.`);
      }
      for (const [accessKeyId, credentials] of issued) if (hasExpired(credentials)) issued.delete(accessKeyId);
      const credentials: IssuedCredentials = {
        accessKeyId: newAccessKeyId(),
        // 30 and 600 bytes are 40 and 800 characters of base64, `+` and `/` among them: whoever forgets to encode them notices.
        secretAccessKey: randomBytes(30).toString("base64"),
        sessionToken: randomBytes((sessionTokenLength / 4) * 3).toString("base64"),
        // Whole seconds, since that is how the endpoint prints it; never less than what was asked for.
        expiration: new Date(Math.ceil((now() + lifetimeSeconds * 1_000) / 1_000) * 1_000),
        roleArn,
      };
      issued.set(credentials.accessKeyId, credentials);
      return credentials;
    },
    find(accessKeyId) {
      const credentials = issued.get(accessKeyId);
      return credentials === undefined || hasExpired(credentials) ? undefined : credentials;
    },
    expireAll() {
      const forgotten = [...issued];
      issued.clear();
      return () => {
        for (const [accessKeyId, credentials] of forgotten) issued.set(accessKeyId, credentials);
      };
    },
  };
}

/** `ASIA`, the prefix of temporary keys ("IAM identifiers", IAM User Guide), and 16 characters. */
function newAccessKeyId(): string {
  return `ASIA${Array.from({ length: 16 }, () => keyIdAlphabet[randomInt(keyIdAlphabet.length)]).join("")}`;
}

/** What the endpoint hands out, and to whom. */
export interface CredentialsEndpointOptions {
  readonly securityTokenService: SecurityTokenService;
  /** The declared task role. */
  readonly roleArn: string;
  /** Six hours by default. Below 30 minutes an SDK that wants 15 to be left asks again for every token. */
  readonly lifetimeSeconds?: number;
  /** Milliseconds since 1970; `Date.now` by default. The same clock as the service's. */
  readonly now?: () => number;
}

/** The endpoint that the agent of ECS serves to a task. */
export interface CredentialsEndpoint {
  /** For `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  readonly fullUri: string;
  /** For `AWS_CONTAINER_AUTHORIZATION_TOKEN`. */
  readonly authorizationToken: string;
  /** Where faults act on it. */
  readonly faultPoints: CredentialsFaultPoints;
  /** Closes the port and every connection to it. */
  close(): Promise<void>;
}

/**
 * Serves the role's credentials on a free port of 127.0.0.1 ("Container credential provider", AWS SDKs and Tools Reference
 * Guide): the same ones until they near their end, then new ones. The old ones live on until they expire.
 */
export async function startCredentialsEndpoint(options: CredentialsEndpointOptions): Promise<CredentialsEndpoint> {
  const { securityTokenService, roleArn, now = Date.now } = options;
  const lifetimeSeconds = options.lifetimeSeconds ?? taskCredentialsLifetimeSeconds;
  const marginMs = Math.min(renewalMarginMs, (lifetimeSeconds * 1_000) / 2);
  const path = `/v2/credentials/${randomBytes(16).toString("hex")}`;
  const authorizationToken = randomBytes(32).toString("base64url");
  let credentials = securityTokenService.issue(roleArn, lifetimeSeconds);
  const faults = new CredentialsFaults({
    expire() {
      const revive = securityTokenService.expireAll();
      // Not this very second, which a client whose clock is a little behind would take for the future.
      credentials = { ...credentials, expiration: new Date(Math.floor(now() / 1_000) * 1_000 - 1_000) };
      return () => {
        revive();
        credentials = securityTokenService.issue(roleArn, lifetimeSeconds);
      };
    },
  });

  const server = fastify({ exposeHeadRoutes: false, forceCloseConnections: true });
  server.get(path, async (request, reply) => {
    await faults.pause();
    // The words of the agent's own rate limit (the library tollbooth).
    if (faults.throttled) return reply.code(429).type("text/plain").send("You have reached maximum request limit.");
    const { authorization } = request.headers;
    if (authorization === undefined) {
      return reply.code(401).send(refusal(401, "Unauthorized", "The Authorization header is missing."));
    }
    if (!isSame(authorization, authorizationToken)) {
      return reply.code(403).send(refusal(403, "AccessDenied", "The Authorization header holds another token."));
    }
    if (!faults.expired && credentials.expiration.getTime() - now() <= marginMs) {
      credentials = securityTokenService.issue(roleArn, lifetimeSeconds);
    }
    return reply.header("cache-control", "no-store").send({
      RoleArn: credentials.roleArn,
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      Token: credentials.sessionToken,
      Expiration: credentials.expiration.toISOString().replace(".000Z", "Z"),
    });
  });
  server.setNotFoundHandler((request, reply) => {
    if (request.url.split("?")[0] === path) {
      return reply
        .code(405)
        .header("allow", "GET")
        .send(refusal(405, "MethodNotAllowed", "Only GET is answered."));
    }
    return reply.code(404).send(refusal(404, "NotFound", "No credentials are served at this path."));
  });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  return { fullUri: `${address}${path}`, authorizationToken, faultPoints: faults, close: () => server.close() };
}

/** The form in which the agent of ECS reports errors. */
function refusal(status: number, code: string, message: string): Record<string, string | number> {
  return { code, message: `CredentialsV2Request: ${message}`, HTTPErrorCode: status };
}

/** In constant time: hashed first, since the comparison wants equal lengths and must not tell the true one. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
