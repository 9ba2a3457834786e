import { once } from "node:events";
import { createServer } from "node:http";

const KEYS = { AccessKeyId: "ASIAEXAMPLE", SecretAccessKey: "endpoint-secret-key", Token: "endpoint/session+token==" };
const TOKEN = "endpoint-authorization";

/** The secrets that the endpoint hands out, for a test that looks for them. */
export const ENDPOINT_SECRETS: readonly string[] = [KEYS.SecretAccessKey, KEYS.Token, TOKEN];

/** What counts the fetches of task credentials, as ECS serves them to a container. */
export interface CredentialsEndpoint {
  /** What a container is given to find it, and nothing that would lead the SDK elsewhere. */
  readonly environment: Readonly<Record<string, string>>;
  fetches(): number;
  close(): Promise<void>;
}

/** Longer than any test, and than the 15 minutes from which on a signer asks for newer ones. */
const USUAL_LIFE_MS = 6 * 3_600_000;

/**
 * Listens on the loopback, and answers whoever has the authorization token.
 *
 * @param lifeMs how long what it hands out lives from then on
 */
export async function startCredentialsEndpoint(lifeMs: number = USUAL_LIFE_MS): Promise<CredentialsEndpoint> {
  let fetches = 0;
  const server = createServer((request, response) => {
    fetches += 1;
    const allowed = request.headers.authorization === TOKEN;
    response.writeHead(allowed ? 200 : 403, { "content-type": "application/json", connection: "close" });
    const Expiration = new Date(Date.now() + lifeMs).toISOString();
    response.end(JSON.stringify(allowed ? { ...KEYS, Expiration } : { message: "no" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The endpoint does not listen");
  return {
    environment: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${address.port}/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: TOKEN,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    },
    fetches: () => fetches,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Runs `work` while this process itself finds its credentials at such an endpoint. */
export async function withCredentialsEndpoint(
  work: (fetches: () => number) => Promise<void>,
  lifeMs?: number,
): Promise<void> {
  const endpoint = await startCredentialsEndpoint(lifeMs);
  const saved = Object.entries(process.env).filter(([name]) => name.startsWith("AWS_"));
  for (const [name] of saved) delete process.env[name];
  Object.assign(process.env, endpoint.environment);
  try {
    await work(endpoint.fetches);
  } finally {
    for (const name of Object.keys(endpoint.environment)) delete process.env[name];
    Object.assign(process.env, Object.fromEntries(saved));
    await endpoint.close();
  }
}
