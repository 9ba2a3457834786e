import type { Declared, DeclaredService } from "./declared.ts";
import { type Foundation, layFoundation } from "./environment/foundation.ts";
import { type EnvironmentOptions, partEnded, type RunningService, startService } from "./environment/service.ts";
import { Teardown } from "./environment/teardown.ts";
import type { Postgres } from "./postgres.ts";
import { edit } from "./program/edit.ts";
import { readDeclared } from "./program/read.ts";
import type { Program } from "./program.ts";
import type { ManagedSecret } from "./secret.ts";

/** The same application on the same database, on the path that this project replaces. */
export interface PasswordEnvironment {
  readonly declared: Declared;
  readonly postgres: Postgres;
  readonly secret: ManagedSecret;
  readonly service: RunningService;
  /** Resolves with the reason when a part ends that should run. Never rejects. */
  readonly failed: Promise<Error>;
  /** Stops everything, within ten seconds. Never rejects; may be called again. */
  stop(): Promise<void>;
}

/**
 * Brings up the application on its development path: no proxy, no IAM, straight to the rotating database with the password that the
 * secret held when it started. That is how a service behaves that reads the managed secret once, at boot.
 */
export async function startPasswordEnvironment(
  program: Program,
  options: EnvironmentOptions,
): Promise<PasswordEnvironment> {
  // The development path speaks clear text on the loopback, which force_ssl would refuse before any password is looked at.
  const declared = readDeclared(edit(program, { type: "ParameterGroup", name: "database" }, withoutForceSsl));
  const teardown = new Teardown(options.log);
  try {
    const foundation = await layFoundation(declared, teardown, options.log);
    options.signal?.throwIfAborted();
    const onPassword = { ...declared, service: withPassword(declared, foundation) };
    const service = await startService(onPassword, foundation, {}, teardown, options);
    options.signal?.throwIfAborted();
    const { postgres, secret } = foundation;
    const failed = partEnded(teardown, postgres, service.task);
    return { declared, postgres, secret, service, failed, stop: () => teardown.run() };
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

function withoutForceSsl(inputs: Program["resources"][number]["inputs"]) {
  const parameters = inputs.parameters as readonly { readonly name: string }[];
  return { ...inputs, parameters: parameters.filter(({ name }) => name !== "rds.force_ssl") };
}

/** More connections than the load asks for at once: on this path a pool that is full once would hide that no new one can be opened. */
const POOL_SIZE = 100;

/** The declared containers with the environment of the development path. */
function withPassword({ service, database }: Declared, { postgres, secret }: Foundation): DeclaredService {
  const containers = service.containers.map((container) => ({
    ...container,
    environment: {
      ENV: "development",
      DB_HOST: postgres.host,
      DB_PORT: String(postgres.port),
      POSTGRES_DB: database.name,
      POSTGRES_USER: database.user,
      POSTGRES_PASSWORD: secret.currentLogin().password,
      PORT: String(service.containerPort),
      DB_POOL_SIZE: String(POOL_SIZE),
    },
  }));
  return { ...service, containers };
}
