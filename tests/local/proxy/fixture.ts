import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { Signer } from "@aws-sdk/rds-signer";
import pg from "pg";
import { type CertificateAuthority, createAuthority, type IssuedCertificate } from "../../../local/certificates.ts";
import type { DeclaredProxy } from "../../../local/declared.ts";
import type { Authority, DatabaseLogin, IssuedCredentials } from "../../../local/proxy/authority.ts";
import type { DatabaseAddress } from "../../../local/proxy/database-login.ts";
import { type LocalProxy, type ProxyOptions, startProxy } from "../../../local/proxy/server.ts";
import type { ConnectionRefused } from "../../../local/proxy/session.ts";

export const USER = "app_master";
export const ROLE = "arn:aws:iam::123456789012:role/service-task";

export const DECLARED: DeclaredProxy = {
  name: "service",
  arn: "arn:aws:rds:eu-west-2:123456789012:db-proxy:prx-0123456789abcdef0",
  resourceId: "prx-0123456789abcdef0",
  endpoint: "service.proxy-abcdefghijkl.eu-west-2.rds.amazonaws.com",
  port: 5432,
  region: "eu-west-2",
  requireTls: true,
  iamAuthRequired: true,
  roleArn: "arn:aws:iam::123456789012:role/proxy",
  secretArn: "arn:aws:secretsmanager:eu-west-2:123456789012:secret:rds!db-1",
  securityGroupIds: ["sg-proxy"],
  idleClientTimeoutSeconds: 1_800,
  borrowTimeoutSeconds: 5,
  maxConnectionsPercent: 50,
};

export const issueCredentials = (changes: Partial<IssuedCredentials> = {}): IssuedCredentials => ({
  accessKeyId: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
  secretAccessKey: randomBytes(30).toString("base64"),
  // With the characters that a URL must escape.
  sessionToken: `IQoJb3JpZ2lu+/${randomBytes(300).toString("base64")}==`,
  expiration: new Date(Date.now() + 3_600_000),
  roleArn: ROLE,
  ...changes,
});

/** An authority whose answers a test changes while the proxy runs. */
export interface AdjustableAuthority extends Authority {
  readonly issued: Map<string, IssuedCredentials>;
  login: DatabaseLogin | undefined;
  allowed: (roleArn: string, user: string) => boolean;
  clientReaches: boolean;
  databaseReached: boolean;
}

export function adjustableAuthority(password: string, credentials: IssuedCredentials): AdjustableAuthority {
  return {
    issued: new Map([[credentials.accessKeyId, credentials]]),
    login: { username: USER, password, versionId: "version-1" },
    allowed: () => true,
    clientReaches: true,
    databaseReached: true,
    issuedCredentials(accessKeyId) {
      return this.issued.get(accessKeyId);
    },
    async mayConnect(roleArn, user) {
      return this.allowed(roleArn, user);
    },
    async databaseLogin() {
      return this.login;
    },
    clientMayReachProxy() {
      return this.clientReaches;
    },
    proxyMayReachDatabase() {
      return this.databaseReached;
    },
  };
}

export const mint = (credentials: IssuedCredentials, changes: { hostname?: string; username?: string } = {}) =>
  new Signer({
    hostname: DECLARED.endpoint,
    port: DECLARED.port,
    region: DECLARED.region,
    username: USER,
    credentials,
    ...changes,
  }).getAuthToken();

/** A proxy under test, with what a client of it needs. */
export interface Stage {
  readonly proxy: LocalProxy;
  readonly authority: AdjustableAuthority;
  readonly credentials: IssuedCredentials;
  readonly caPem: string;
  readonly refusals: ConnectionRefused[];
  /** Not connected yet. */
  client(changes?: pg.ClientConfig): pg.Client;
  connect(changes?: pg.ClientConfig): Promise<pg.Client>;
  /** A bare TCP connection to the proxy. */
  dial(): Promise<Socket>;
}

let certificates: Promise<{ ca: CertificateAuthority; server: IssuedCertificate }> | undefined;

/** One CA and one certificate serve every test. */
export function sharedCertificates() {
  certificates ??= createAuthority().then(async (ca) => ({ ca, server: await ca.issue([DECLARED.endpoint]) }));
  return certificates;
}

/** Starts a proxy in front of `database`. Close `stage.proxy` afterwards. */
export async function startStage(
  database: DatabaseAddress,
  password: string,
  changes: Partial<Omit<ProxyOptions, "declared">> & { declared?: Partial<DeclaredProxy> } = {},
): Promise<Stage> {
  const { ca, server } = await sharedCertificates();
  const credentials = issueCredentials();
  const authority = adjustableAuthority(password, credentials);
  const { declared, ...rest } = changes;
  const options = { authority, database, maxConnections: 40, tls: server, ...rest };
  const proxy = await startProxy({ ...options, declared: { ...DECLARED, ...declared } });
  const refusals: ConnectionRefused[] = [];
  proxy.events.on("connectionRefused", (refusal) => refusals.push(refusal));
  const client = (config: pg.ClientConfig = {}) => {
    const made = new pg.Client({
      host: "127.0.0.1",
      port: proxy.port,
      user: USER,
      database: "postgres",
      password: () => mint(credentials),
      ssl: { ca: ca.caPem, servername: DECLARED.endpoint },
      ...config,
    });
    // A client that the server cuts off says so twice; tests look at what they wait for.
    made.on("error", () => {});
    return made;
  };
  return {
    proxy,
    authority,
    credentials,
    caPem: ca.caPem,
    refusals,
    client,
    connect: async (config) => {
      const made = client(config);
      await made.connect();
      return made;
    },
    dial: async () => {
      const socket = createConnection(proxy.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      return socket;
    },
  };
}
