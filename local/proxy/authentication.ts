import type { DeclaredProxy } from "../declared.ts";
import type { Authority } from "./authority.ts";
import { credentialsFor } from "./credentials.ts";
import { ProxyRefusal } from "./errors.ts";
import type { Disturbances } from "./fault-switches.ts";
import { authenticationCleartextPassword } from "./messages.ts";
import { readPassword } from "./packets.ts";
import type { StartedClient } from "./startup.ts";
import { equalInConstantTime, verifyToken } from "./token.ts";

/** What authentication asks of the rest of the proxy. */
export interface Gate {
  readonly declared: DeclaredProxy;
  readonly authority: Authority;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly disturbances: Disturbances;
  /** Told of each token or password that a client presents, before it is judged. */
  readonly onPresented: () => void;
}

/**
 * Asks the client for its token and judges it, in RDS Proxy's order: first whether there are database credentials for
 * the user at all, so that an unknown user hears "no credentials" whatever its token is worth; then the token; then
 * whether the role that signed it may connect.
 *
 * @throws ProxyRefusal NO_CREDENTIALS, IAM_AUTHENTICATION_FAILED, IAM_THROTTLED, WRONG_PASSWORD, PROTOCOL_VIOLATION
 * @throws ClientGone when the client leaves, as psql does to ask its user for a password
 */
export async function authenticate(client: StartedClient, gate: Gate): Promise<void> {
  client.socket.write(authenticationCleartextPassword());
  const presented = await readPassword(client.socket);
  gate.onPresented();
  const login = await credentialsFor(client.user, gate.declared, gate.authority);
  if (gate.declared.iamAuthRequired) await authenticateByIam(presented, client.user, gate);
  // RDS Proxy would ask for the password by SCRAM; the answer to a right and to a wrong one is the same.
  else if (!equalInConstantTime(presented, login.password)) {
    throw new ProxyRefusal(
      "WRONG_PASSWORD",
      client.user,
      `The proxy ${gate.declared.name} declares no IAM authentication, and the client gave another password than the secret's.`,
    );
  }
}

async function authenticateByIam(token: string, user: string, gate: Gate): Promise<void> {
  const { declared, authority, clock, disturbances } = gate;
  if (disturbances.iamIsThrottled) {
    throw new ProxyRefusal("IAM_THROTTLED", user, "A fault that was asked for throttles IAM authentication.");
  }
  const verdict = await verifyToken(token, {
    host: declared.endpoint,
    port: declared.port,
    region: declared.region,
    user,
    now: clock() + disturbances.clockSkewMs,
    credentials: (accessKeyId) => authority.issuedCredentials(accessKeyId),
  });
  if (!verdict.genuine) {
    throw new ProxyRefusal("IAM_AUTHENTICATION_FAILED", user, `${verdict.flaw}: ${verdict.diagnosis}`);
  }
  if (!(await authority.mayConnect(verdict.roleArn, user))) {
    throw new ProxyRefusal(
      "IAM_AUTHENTICATION_FAILED",
      user,
      `NOT_ALLOWED: The policies of ${verdict.roleArn} do not allow rds-db:connect on ${declared.resourceId} as ${JSON.stringify(user)}.`,
    );
  }
}
