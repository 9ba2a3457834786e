import { setTimeout as delay } from "node:timers/promises";
import { PostgresError } from "./error.ts";
import { launch, portTaken, type Server, type ServerExit, type ServerOptions, startServer } from "./server.ts";

/** How long a restart keeps the server away. */
export interface RestartOptions {
  /** Milliseconds between the end of the old process and the start of the new one: 0, the default, to {@link longestDownMs}. */
  readonly downMs?: number;
}

/** A server whose process can be exchanged for another on the same port and cluster. */
export interface RestartableServer extends Pick<Server, "port" | "maxConnections" | "stop"> {
  /** Of the present process; while the server is down, of the last one. */
  readonly pid: number;
  /** Resolves, and never rejects, when the server has ended for good: a restart is not an end unless it fails. */
  readonly exited: Promise<ServerExit>;
  /**
   * Fast shutdown, a pause, a new start with the settings of the first. One restart at a time: another waits for it.
   *
   * @throws PostgresError `INVALID_OPTION`; `RESTART_FAILED` when the server has ended, is stopped meanwhile, or does not start again
   */
  restart(options?: RestartOptions): Promise<void>;
}

/** Ten minutes, five times what Amazon's "Multi-AZ DB instance deployments" page gives as the usual length of a failover. */
export const longestDownMs = 600_000;

/** While the server is down its port is free, and an outgoing connection may hold it for a moment. */
const portLimitMs = 10_000;
const portPauseMs = 100;

/**
 * Starts a server that can be restarted.
 *
 * @throws PostgresError `START_FAILED`
 */
export async function startRestartableServer(options: ServerOptions): Promise<RestartableServer> {
  let server = await startServer(options);
  const { port, maxConnections } = server;
  const { promise: exited, resolve: ended } = Promise.withResolvers<ServerExit>();
  const stopping = new AbortController();
  let queue: Promise<void> = Promise.resolve();
  /** A process that ends while this is true is followed by another. */
  let replacing = false;
  let over = false;

  const end = (exit: ServerExit): void => {
    over = true;
    ended({ ...exit, expected: stopping.signal.aborted });
  };
  const watch = (process: Server): void => {
    process.exited.then((exit) => {
      if (!replacing) end(exit);
    });
  };
  watch(server);

  async function startAgain(): Promise<void> {
    for (const limit = performance.now() + portLimitMs; ; await delay(portPauseMs)) {
      stopping.signal.throwIfAborted();
      const attempt = launch(options, port, maxConnections);
      server = attempt.server;
      const failure = await attempt.ready;
      if (failure === undefined) return stopping.signal.throwIfAborted();
      await server.stop();
      if (!portTaken.test(failure) || performance.now() > limit) {
        throw new PostgresError(
          "START_FAILED",
          `PostgreSQL did not start again on port ${port}.\n${failure}`.trimEnd(),
        );
      }
    }
  }

  async function replace(downMs: number): Promise<void> {
    if (stopping.signal.aborted) throw failedRestart("it is stopped");
    if (over) throw failedRestart("it has ended");
    replacing = true;
    try {
      await server.stop();
      await delay(downMs, undefined, { signal: stopping.signal });
      await startAgain();
    } catch (cause) {
      if (stopping.signal.aborted) throw failedRestart("it is stopped", cause);
      throw failedRestart(cause instanceof Error ? cause.message : String(cause), cause);
    } finally {
      replacing = false;
      watch(server);
    }
  }

  return {
    port,
    maxConnections,
    exited,
    get pid() {
      return server.pid;
    },
    async restart({ downMs = 0 } = {}) {
      if (!(downMs >= 0 && downMs <= longestDownMs)) {
        throw new PostgresError(
          "INVALID_OPTION",
          `downMs is ${downMs}: milliseconds from 0 to ${longestDownMs} are needed.`,
        );
      }
      const turn = queue.then(() => replace(downMs));
      queue = turn.catch(() => {});
      await turn;
    },
    async stop() {
      stopping.abort();
      await server.stop();
      await queue;
    },
  };
}

function failedRestart(why: string, cause?: unknown): PostgresError {
  return new PostgresError("RESTART_FAILED", `PostgreSQL cannot be restarted: ${why}.`, { cause });
}
