import * as pulumi from "@pulumi/pulumi";
import type { BaseImage } from "./bundle.ts";
import type { ConnectGrant } from "./proxy.ts";
import { FARGATE_CONTAINER_LIMIT, type Timeouts } from "./timeouts.ts";

/** Port that the service listens on inside its task. */
export const SERVICE_PORT = 8080;

/** Name of the container that serves requests. */
export const SERVICE_CONTAINER = "service";

const MIGRATION_CONTAINER = "migrate";

/** The `node` user of the base image, whom the Dockerfile names too. */
const USER = "1000:1000";

/**
 * Open files that a container may have. Sockets count: the pool's connections and the load balancer's, a few hundred of both. A
 * leak meets this limit, and its error, long before it exhausts what the host shares.
 */
const OPEN_FILES = 8_192;

/** The words that the bundle is started with; the last of them says which of its two jobs it does. */
const COMMAND = ["node", "--enable-source-maps", "main.js"];

export interface ContainerArgs {
  /** The image, pinned by digest. */
  readonly image: pulumi.Input<string>;
  readonly base: BaseImage;
  readonly database: ConnectGrant;
  readonly region: pulumi.Input<string>;
  readonly logGroupName: pulumi.Input<string>;
  /** Physical connections of one task. */
  readonly poolSize: number;
  readonly timeouts: Timeouts;
}

/**
 * The container definitions of a task, as JSON: the migration, which must succeed first, then the service. Neither is root, can
 * write to its file system, holds a capability, or is told a secret.
 */
export function containerDefinitions(args: ContainerArgs): pulumi.Output<string> {
  const environment = Object.entries(containerEnvironment(args)).map(([name, value]) => ({ name, value }));
  const shared = {
    image: args.image,
    user: USER,
    readonlyRootFilesystem: true,
    linuxParameters: { capabilities: { drop: ["ALL"] }, initProcessEnabled: true },
    ulimits: [{ name: "nofile", softLimit: OPEN_FILES, hardLimit: OPEN_FILES }],
    environment,
    // What the image was built on can be asked of a running task.
    dockerLabels: {
      "org.opencontainers.image.base.name": args.base.name,
      "org.opencontainers.image.base.digest": args.base.digest,
    },
    stopTimeout: args.timeouts.stop,
  };
  return pulumi.jsonStringify([
    {
      ...shared,
      name: MIGRATION_CONTAINER,
      essential: false,
      command: [...COMMAND, "migrate"],
      startTimeout: FARGATE_CONTAINER_LIMIT,
      logConfiguration: logTo(args, MIGRATION_CONTAINER),
    },
    {
      ...shared,
      name: SERVICE_CONTAINER,
      essential: true,
      command: [...COMMAND, "serve"],
      portMappings: [{ containerPort: SERVICE_PORT, protocol: "tcp" }],
      dependsOn: [{ containerName: MIGRATION_CONTAINER, condition: "SUCCESS" }],
      logConfiguration: logTo(args, SERVICE_CONTAINER),
    },
  ]);
}

/**
 * The environment that the application parses: where and who, never with what password. Every time limit comes from
 * `timeouts.ts`, so that the application and the infrastructure cannot disagree.
 */
export function containerEnvironment(args: ContainerArgs): Readonly<Record<string, pulumi.Input<string>>> {
  const { database, timeouts } = args;
  return {
    // Every stack on AWS authenticates by IAM, staging included.
    ENV: "production",
    AWS_REGION: args.region,
    // Without it a failure of the task's credentials endpoint ends in a search for an EC2 instance's.
    AWS_EC2_METADATA_DISABLED: "true",
    PORT: String(SERVICE_PORT),
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    POSTGRES_DB: database.databaseName,
    POSTGRES_USER: database.user,
    DB_POOL_SIZE: String(args.poolSize),
    DB_CONNECT_RETRY_SECONDS: String(timeouts.connectRetry),
    DB_ACQUIRE_SECONDS: String(timeouts.connectRetry + timeouts.borrow),
    DB_CONNECTION_LIFETIME_SECONDS: String(timeouts.connectionLifetime),
    REQUEST_DEADLINE_SECONDS: String(timeouts.requestDeadline),
    KEEP_ALIVE_SECONDS: String(timeouts.keepAlive),
    DRAIN_SECONDS: String(timeouts.drain),
    MIGRATION_DEADLINE_SECONDS: String(timeouts.migrationDeadline),
  };
}

function logTo({ logGroupName, region }: ContainerArgs, prefix: string): object {
  return {
    logDriver: "awslogs",
    options: {
      "awslogs-group": logGroupName,
      "awslogs-region": region,
      "awslogs-stream-prefix": prefix,
      // A log endpoint that hangs must not hang the service.
      mode: "non-blocking",
      "max-buffer-size": "4m",
    },
  };
}
