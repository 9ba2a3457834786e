import path from "node:path";
import { fileURLToPath } from "node:url";
import { createAuthority } from "./authority.ts";
import type { ContainerLine } from "./container-log.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type CredentialsEndpoint, createSecurityTokenService, startCredentialsEndpoint } from "./credentials.ts";
import type { Declared } from "./declared.ts";
import { type Foundation, layFoundation } from "./environment/foundation.ts";
import { Teardown } from "./environment/teardown.ts";
import { declaredFirewall } from "./firewall.ts";
import { type DeclaredIam, declaredIam } from "./iam.ts";
import { type LoadBalancer, startLoadBalancer } from "./load-balancer.ts";
import type { Place } from "./outputs.ts";
import type { Postgres } from "./postgres.ts";
import { PROGRAM_FOLDER } from "./program/configuration.ts";
import { readDeclared } from "./program/read.ts";
import type { Program } from "./program.ts";
import { type LocalProxy, startProxy } from "./proxy/server.ts";
import type { ManagedSecret } from "./secret.ts";
import { runTask, type Task } from "./task.ts";

export interface EnvironmentOptions {
  /** Told of progress and of whatever is not as declared. Never a secret. */
  readonly log: (message: string) => void;
  /** Hears every line that a container writes. */
  readonly onLine?: (line: ContainerLine) => void;
  /** Calls the start off; whatever runs by then is stopped. */
  readonly signal?: AbortSignal;
  /** Whether the service's task and the load balancer are started too. Default true. */
  readonly withService?: boolean;
  /** How long the task's credentials live, in seconds. Default as on ECS. */
  readonly credentialsLifetimeSeconds?: number;
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
  readonly service: { readonly task: Task; readonly loadBalancer: LoadBalancer } | undefined;
  /** Resolves with the reason when a part ends that should run. Never rejects. */
  readonly failed: Promise<Error>;
  /** Stops everything, within ten seconds. Never rejects; may be called again. */
  stop(): Promise<void>;
}

/** The environment could not come up, or a part of it ended. */
export class EnvironmentError extends Error {
  readonly code = "ENVIRONMENT_FAILED";
}

/** A task that has not drained by then is killed: whoever presses Ctrl-C waits for it. */
const TASK_STOP_LIMIT_MS = 5_000;

/**
 * Brings up what an evaluated program declares: PostgreSQL, the secret, the credentials endpoint, the proxy, the task in its start
 * order, and the load balancer in front of it.
 *
 * @throws whatever the part throws that could not be started; nothing is left behind then
 */
export async function startEnvironment(program: Program, options: EnvironmentOptions): Promise<Environment> {
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
  options: EnvironmentOptions,
): Promise<Environment> {
  const { log, signal } = options;
  const iam = declaredIam(program);
  signal?.throwIfAborted();
  const foundation = await layFoundation(declared, teardown, log);
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
  log(`RDS Proxy ${declared.proxy.endpoint} on port ${proxy.port}`);
  await assumeTaskRole(declared, program.place, iam);
  const credentials = await startCredentialsEndpoint({
    securityTokenService: tokenService,
    roleArn: declared.service.taskRoleArn,
    ...(options.credentialsLifetimeSeconds && { lifetimeSeconds: options.credentialsLifetimeSeconds }),
  });
  teardown.add("the credentials endpoint", () => credentials.close());
  const parts = { declared, foundation, proxy, credentials };
  const service = options.withService === false ? undefined : await startService(parts, teardown, options);
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
    },
    service,
    failed: partEnded(teardown, foundation.postgres, service?.task),
    stop: () => teardown.run(),
  };
}

function databaseAddress({ database }: Declared, { authority, postgres }: Foundation) {
  const tls = database.forceSsl ? { ca: authority.caPem, servername: database.address } : undefined;
  return { host: postgres.host, port: postgres.port, tls };
}

/** ECS assumes the task role before it starts a container; a wrong trust ends there. */
async function assumeTaskRole(
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

interface Parts {
  readonly declared: Declared;
  readonly foundation: Foundation;
  readonly proxy: LocalProxy;
  readonly credentials: CredentialsEndpoint;
}

async function startService(
  { declared, foundation, proxy, credentials }: Parts,
  teardown: Teardown,
  { log, onLine, signal }: EnvironmentOptions,
): Promise<{ readonly task: Task; readonly loadBalancer: LoadBalancer }> {
  const { service, loadBalancer: declaredBalancer, proxy: declaredProxy } = declared;
  log(`starting the task: ${service.containers.map((container) => container.name).join(", then ")}`);
  const task = await runTask(service, {
    folder: path.join(fileURLToPath(PROGRAM_FOLDER), service.imageContext),
    credentials,
    caFile: foundation.caFile,
    hosts: [{ host: declaredProxy.endpoint, port: declaredProxy.port, address: "127.0.0.1", listenPort: proxy.port }],
    reaper: foundation.reaper,
    workspace: foundation.workspace,
    ...(onLine && { onLine }),
    ...(signal && { signal }),
  });
  teardown.add("the task", () => stopTask(task));
  const targetPort = await task.application.port;
  const loadBalancer = await startLoadBalancer({ declared: declaredBalancer, targetPort });
  teardown.add("the load balancer", () => loadBalancer.close());
  await loadBalancer.healthy();
  log(`the service is healthy behind ${loadBalancer.url}`);
  return { task, loadBalancer };
}

async function stopTask(task: Task): Promise<void> {
  const running = new Set(task.containers);
  for (const container of task.containers) container.exited.then(() => running.delete(container));
  const kill = setTimeout(() => {
    for (const { pid } of running) killGroup(pid);
  }, TASK_STOP_LIMIT_MS);
  await task.stop().finally(() => clearTimeout(kill));
}

/** Containers lead process groups of their own. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** Resolves when a part ends by itself, and never once the environment is being stopped. */
async function partEnded(teardown: Teardown, postgres: Postgres, task: Task | undefined): Promise<Error> {
  const reason = await Promise.race([postgresEnded(postgres), ...(task ? [taskEnded(task)] : [])]);
  return teardown.hasBegun ? new Promise(() => {}) : new EnvironmentError(reason);
}

async function postgresEnded({ exited }: Postgres): Promise<string> {
  const { signal, code, lastLines } = await exited;
  return `PostgreSQL ended (${signal ?? `exit code ${code}`}). It wrote: ${lastLines.join(" | ")}`;
}

async function taskEnded({ ended, application }: Task): Promise<string> {
  const { container, exit } = await ended;
  return `the container ${container} ended (${exit.signal ?? `exit code ${exit.code}`}). ${application.lines.tail()}`;
}
