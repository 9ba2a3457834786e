import { createAuthority } from "./authority.ts";
import { createAuthority as createCertificateAuthority } from "./certificates.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type CredentialsEndpoint, createSecurityTokenService, startCredentialsEndpoint } from "./credentials.ts";
import type { Declared } from "./declared.ts";
import { type Foundation, layFoundation } from "./environment/foundation.ts";
import {
  EnvironmentError,
  type EnvironmentOptions,
  partEnded,
  type RunningService,
  startService,
} from "./environment/service.ts";
import { Teardown } from "./environment/teardown.ts";
import { faultyDatabase } from "./faults/database.ts";
import { createFaults } from "./faults.ts";
import { declaredFirewall } from "./firewall.ts";
import { type DeclaredIam, declaredIam } from "./iam.ts";
import type { Place } from "./place.ts";
import type { Postgres } from "./postgres.ts";
import { readDeclared } from "./program/read.ts";
import type { Program } from "./program.ts";
import { type LocalProxy, startProxy } from "./proxy/server.ts";
import type { ManagedSecret } from "./secret.ts";

export interface LocalEnvironmentOptions extends EnvironmentOptions {
  /** Is given the proxy before anything connects to it. */
  readonly onProxy?: (proxy: LocalProxy) => void;
  /** Whether the service's task and the load balancer are started too. Default true. */
  readonly withService?: boolean;
  /** How long the task's credentials live, in seconds. Default as on ECS. */
  readonly credentialsLifetimeSeconds?: number;
  /** PostgreSQL and secret to stand on, which stay when the environment stops. Default: some of its own. */
  readonly foundation?: Foundation;
}

/** The program on a laptop. */
export interface Environment {
  readonly declared: Declared;
  readonly postgres: Postgres;
  readonly secret: ManagedSecret;
  readonly proxy: LocalProxy;
  readonly credentials: CredentialsEndpoint;
  readonly caFile: string;
  readonly controlPlane: ControlPlane;
  /** Undefined when the environment was started without the service. */
  readonly service: RunningService | undefined;
  /** Resolves with the reason when a part ends that should run. Never rejects. */
  readonly failed: Promise<Error>;
  /** Stops everything, within ten seconds. Never rejects; may be called again. */
  stop(): Promise<void>;
}

/**
 * Brings up what an evaluated program declares: PostgreSQL, the secret, the credentials endpoint, the proxy, the task in its start
 * order, and the load balancer in front of it.
 *
 * @throws whatever the part throws that could not be started; nothing is left behind then
 */
export async function startEnvironment(program: Program, options: LocalEnvironmentOptions): Promise<Environment> {
  const declared = readDeclared(program);
  const teardown = new Teardown(options.log);
  try {
    const environment = await bringUp(program, declared, teardown, options);
    options.signal?.throwIfAborted();
    return environment;
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function bringUp(
  program: Program,
  declared: Declared,
  teardown: Teardown,
  options: LocalEnvironmentOptions,
): Promise<Environment> {
  const { log, signal } = options;
  const iam = declaredIam(program);
  await assumeTaskRoles(declared, program.place, iam);
  signal?.throwIfAborted();
  const foundation = options.foundation ?? (await layFoundation(declared, teardown, log));
  log(`PostgreSQL ${foundation.postgres.version} on port ${foundation.postgres.port}`);
  signal?.throwIfAborted();
  const tokenService = createSecurityTokenService();
  const proxy = await startProxy({
    declared: declared.proxy,
    maxConnections: foundation.postgres.maxConnections,
    authority: createAuthority({
      declared,
      place: program.place,
      iam,
      firewall: declaredFirewall(program),
      findCredentials: (accessKeyId) => tokenService.find(accessKeyId),
      currentLogin: () => foundation.secret.currentLogin(),
    }),
    tls: await foundation.authority.issue([declared.proxy.endpoint]),
    database: databaseAddress(declared, foundation),
  });
  teardown.add("the proxy", () => proxy.close());
  options.onProxy?.(proxy);
  tellRefusals(proxy, log);
  log(`RDS Proxy ${declared.proxy.endpoint} on port ${proxy.port}`);
  const credentials = await startCredentialsEndpoint({
    securityTokenService: tokenService,
    roleArn: declared.service.taskRoleArn,
    ...(options.credentialsLifetimeSeconds && { lifetimeSeconds: options.credentialsLifetimeSeconds }),
  });
  teardown.add("the credentials endpoint", () => credentials.close());
  const { endpoint: host, port } = declared.proxy;
  const network = {
    credentials,
    caFile: foundation.caFile,
    hosts: [{ host, port, address: "127.0.0.1", listenPort: proxy.port }],
  };
  const service =
    options.withService === false ? undefined : await startService(declared, foundation, network, teardown, options);
  const faults = createFaults({
    surroundings: {
      proxy: proxy.faultPoints,
      credentials: credentials.faultPoints,
      database: faultyDatabase(foundation.postgres),
      secret: foundation.secret,
      issueForeignCertificate: async () => (await createCertificateAuthority()).issue([declared.proxy.endpoint]),
    },
    log,
  });
  // The last step so far, so that nothing else stops while a fault keeps it from doing so.
  teardown.add("the faults", () => faults.close());
  return {
    declared,
    postgres: foundation.postgres,
    secret: foundation.secret,
    proxy,
    credentials,
    caFile: foundation.caFile,
    controlPlane: {
      rotate: (rotation) => foundation.secret.rotate(rotation),
      secretStatus: () => foundation.secret.secretStatus(),
      metrics: () => proxy.metrics(),
      faults,
    },
    service,
    failed: partEnded(teardown, foundation.postgres, service?.task),
    stop: () => teardown.run(),
  };
}

/**
 * Tells why clients are turned away, once for each reason: AWS's own text says little, and a client that retries would only wait. The
 * password that a rotation has outrun is left out, since that passes by itself.
 */
function tellRefusals({ events }: LocalProxy, log: (message: string) => void): void {
  const told = new Set<string>();
  events.on("connectionRefused", ({ code, diagnosis }) => {
    if (code === "WRONG_PASSWORD" || told.has(code)) return;
    told.add(code);
    log(`the proxy turned a client away (${code}): ${diagnosis}`);
  });
}

function databaseAddress({ database }: Declared, { authority, postgres }: Foundation) {
  const tls = database.forceSsl ? { ca: authority.caPem, servername: database.address } : undefined;
  return { host: postgres.host, port: postgres.port, tls };
}

/** ECS assumes both roles before it starts a container; a wrong trust ends there, and here before anything is started. */
async function assumeTaskRoles(
  { service, region }: Declared,
  { partition, accountId }: Place,
  iam: DeclaredIam,
): Promise<void> {
  for (const role of [service.taskRoleArn, service.executionRoleArn]) {
    const trusted = await iam.allows({
      principal: "ecs-tasks.amazonaws.com",
      action: "sts:AssumeRole",
      resource: role,
      context: {
        "aws:SourceAccount": accountId,
        "aws:SourceArn": `arn:${partition}:ecs:${region}:${accountId}:task/local`,
      },
    });
    if (!trusted)
      throw new EnvironmentError(`ECS was unable to assume the role '${role}' that was provided for this task`);
  }
}
