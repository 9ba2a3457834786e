import { pathToFileURL } from "node:url";
import { ContainerError } from "./container-error.ts";

/** Where a name and port that the application dials are really served, as a line of a hosts file would say (and ports too). */
export interface HostsEntry {
  readonly host: string;
  readonly port: number;
  /** Loopback address. */
  readonly address: string;
  readonly listenPort: number;
}

/** Where the container gets its task role's credentials. */
export interface CredentialsEndpoint {
  readonly fullUri: string;
  readonly authorizationToken: string;
}

/** What stands around a container on the laptop and must be told to its process. */
export interface EnvironmentSources {
  /** Credentials endpoint of the task role. Without one the process is told nothing of ECS or AWS. */
  readonly credentials?: CredentialsEndpoint | undefined;
  /** PEM file of the local certificate authority, trusted beside Node's own. */
  readonly caFile?: string | undefined;
  readonly hosts?: readonly HostsEntry[] | undefined;
  /** Whether processes and threads that it starts have the same hosts; false by default, and then no application sees the variable. */
  readonly forChildren?: boolean | undefined;
  /** Port that the container listens on, published on a free port of 127.0.0.1. */
  readonly containerPort?: number | undefined;
}

/**
 * Every variable that a container's process may have beyond its declared environment, and why. Nothing else is added and
 * nothing of this process's own environment is passed on.
 */
export const environmentAdditions = {
  AWS_EXECUTION_ENV: "set by ECS on Fargate",
  AWS_CONTAINER_CREDENTIALS_FULL_URI:
    "stands for AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, which ECS sets and which the SDK resolves against 169.254.170.2",
  AWS_CONTAINER_AUTHORIZATION_TOKEN:
    "lets this container alone have the credentials, since loopback has no task network",
  AWS_SHARED_CREDENTIALS_FILE:
    "an image has no home with profiles; a developer's has, and the SDK would sign with them",
  AWS_CONFIG_FILE: "likewise",
  NODE_EXTRA_CA_CERTS: "the local certificate authority, since Amazon's cannot sign for a laptop",
  NODE_OPTIONS: "loads the preload that stands for the container's network",
  LOCAL_CONTAINER_NETWORK: "the preload's hosts file and port mapping; removed before the container's application runs",
} as const satisfies Record<string, string>;

/** Name of a variable of {@link environmentAdditions}. */
export type AddedVariable = keyof typeof environmentAdditions;

/** Descriptor on which the preload reports the port that it published. */
export const reportDescriptor = 3;

/**
 * The whole environment of a container's process: what is declared, and what stands around it.
 *
 * @param preload path of the preload as the process will read it
 * @throws ContainerError `ENVIRONMENT_CONFLICT` when the declared environment sets what the platform sets
 */
export function containerEnvironment(
  container: string,
  declared: Readonly<Record<string, string>>,
  sources: EnvironmentSources,
  preload: string,
): Record<string, string> {
  const added: Partial<Record<AddedVariable, string>> = {};
  if (sources.credentials) {
    added.AWS_EXECUTION_ENV = "AWS_ECS_FARGATE";
    added.AWS_CONTAINER_CREDENTIALS_FULL_URI = sources.credentials.fullUri;
    added.AWS_CONTAINER_AUTHORIZATION_TOKEN = sources.credentials.authorizationToken;
    added.AWS_SHARED_CREDENTIALS_FILE = "/dev/null";
    added.AWS_CONFIG_FILE = "/dev/null";
  }
  if (sources.caFile !== undefined) added.NODE_EXTRA_CA_CERTS = sources.caFile;
  if (sources.containerPort !== undefined || (sources.hosts ?? []).length > 0) {
    added.LOCAL_CONTAINER_NETWORK = JSON.stringify({
      hosts: sources.hosts?.map((entry) => [`${entry.host}:${entry.port}`, entry.address, entry.listenPort]),
      containerPort: sources.containerPort,
      reportTo: reportDescriptor,
      forChildren: sources.forChildren,
    });
    // A URL, so that a folder with a space in its name stays one option. Options that the image wants come first.
    const load = `--import=${pathToFileURL(preload).href}`;
    added.NODE_OPTIONS = declared.NODE_OPTIONS ? `${declared.NODE_OPTIONS} ${load}` : load;
  }
  const conflicts = Object.keys(added).filter((name) => name !== "NODE_OPTIONS" && Object.hasOwn(declared, name));
  if (conflicts.length > 0) {
    throw new ContainerError(
      "ENVIRONMENT_CONFLICT",
      container,
      `the declared environment sets ${conflicts.join(", ")}, which the platform sets: remove it from the container definition`,
    );
  }
  return { ...declared, ...added };
}
