import type { DeclaredProxy } from "../declared.ts";
import type { Authority, DatabaseLogin } from "./authority.ts";
import { ProxyRefusal } from "./errors.ts";

/**
 * Reads the secret, as the proxy's role, for a client's user. Nothing is kept between two calls: what is AWSCURRENT at
 * this moment counts.
 *
 * @throws ProxyRefusal NO_CREDENTIALS when the role may not read it, or when it holds another user's
 */
export async function credentialsFor(
  user: string,
  declared: DeclaredProxy,
  authority: Authority,
): Promise<DatabaseLogin> {
  const login = await authority.databaseLogin();
  if (login?.username === user) return login;
  const why = login
    ? `The secret ${declared.secretArn} holds the credentials of ${JSON.stringify(login.username)}, and the client named ${JSON.stringify(user.slice(0, 100))}.`
    : `The proxy's role ${declared.roleArn} may not read ${declared.secretArn}, or nothing is in it.`;
  throw new ProxyRefusal("NO_CREDENTIALS", user, why);
}
