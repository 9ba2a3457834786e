import type { Logger } from "pino";
import type { ServiceConfiguration } from "./config.ts";
import { createPool, secretsOf } from "./pool.ts";
import { createServer } from "./server.ts";

/** The service, not yet started. */
export interface Service {
  /** Resolves with the address once it listens, which is after its first successful query; rejects when that fails. */
  start(): Promise<string>;
  /** Stops accepting, finishes what runs, closes the pool; also while it starts. */
  stop(): Promise<void>;
}

export function createService(configuration: ServiceConfiguration, logger: Logger): Service {
  const pool = createPool(configuration, logger);
  const server = createServer({ pool, logger, configuration, secrets: secretsOf(configuration) });
  let connected = false;
  return {
    async start() {
      // A task that never reached the database must not take traffic.
      await pool.query("SELECT 1");
      connected = true;
      const address = await server.listen({ host: configuration.listenHost, port: configuration.port });
      logger.info({ address }, "The service is ready");
      return address;
    },
    async stop() {
      await server.close();
      const ended = pool.end();
      // Before the first query there is nothing to finish, and node-postgres would wait for an attempt to connect until its limit.
      if (connected) await ended;
    },
  };
}
