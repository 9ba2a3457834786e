import { readFile } from "node:fs/promises";
import { RdsIamPool, type RdsIamPoolOptions } from "../../app/postgres/index.ts";
import { containerEnvironment } from "../../local/container-environment.ts";
import { type Environment, startEnvironment } from "../../local/environment.ts";
import { evaluate } from "../../local/program.ts";
import { eventually } from "../local/eventually.ts";
import { Ledger } from "./ledger.ts";

/** Seconds for which the proxy lets a client wait for a database connection: less than a failover lasts, so that it is met. */
export const BORROW_SECONDS = 2;

/** With less than five minutes left the AWS SDK asks for credentials again: at each mint, so that a bad source is met at once. */
const CREDENTIALS_SECONDS = 120;

/** No row takes longer; the limits that a fault is to meet are its row's. */
const LIMITS = {
  connectRetryMillis: 20_000,
  connectionTimeoutMillis: 25_000,
} as const satisfies Partial<RdsIamPoolOptions>;

/** The whole environment, with this process in the place of the task: its names, its credentials. */
export interface Stage {
  readonly environment: Environment;
  readonly ledger: Ledger;
  /** A pool as the service has it, but for its limits. */
  createPool(options: Partial<RdsIamPoolOptions>): RdsIamPool;
  close(): Promise<void>;
}

/** Starts one. To be called once in a process, whose environment and network it changes. */
export async function openStage(): Promise<Stage> {
  const program = await evaluate("production", { config: { borrowTimeoutSeconds: String(BORROW_SECONDS) } });
  const environment = await startEnvironment(program, {
    withService: false,
    credentialsLifetimeSeconds: CREDENTIALS_SECONDS,
    log: () => {},
  });
  const { declared, proxy, credentials, postgres } = environment;
  const { endpoint: host, port, region } = declared.proxy;
  const { user, name: database } = declared.database;
  const preload = new URL("../../local/preload.mjs", import.meta.url);
  const hosts = [{ host, port, address: "127.0.0.1", listenPort: proxy.port }];
  Object.assign(process.env, containerEnvironment("faults", {}, { credentials, hosts }, preload.pathname));
  await import(preload.href);
  const ca = await readFile(environment.caFile, "utf8");
  const ledger = await Ledger.open(postgres.directUrl);
  await eventually("the target is available", 10_000, () => proxy.targetHealth().state === "AVAILABLE");
  return {
    environment,
    ledger,
    createPool: (options) => new RdsIamPool({ host, port, user, database, region, ca, ...LIMITS, ...options }),
    async close() {
      await ledger.close();
      await environment.stop();
    },
  };
}
