import pg from "pg";
import { runCommand } from "../../local/command.ts";
import { type Environment, startEnvironment } from "../../local/environment.ts";
import { evaluate } from "../../local/program.ts";
import type { ServerCalls } from "./messages.ts";
import { serve } from "./worker.ts";

/** Rows of the table that is read and written; far more than callers, so that none waits for another's row. */
const ROWS = 1_000;

/**
 * The server's side of the measurement, in a process of its own: the declared proxy over a real PostgreSQL, so that neither
 * its work nor its garbage is on the clients' event loop.
 */
await runCommand(async ({ signal }) => {
  const released = new AbortController();
  let environment: Environment | undefined;
  const running = (): Environment => {
    if (environment === undefined) throw new Error("nothing runs yet: ask to start first");
    return environment;
  };
  const parentLeft = serve<ServerCalls>({
    start: async () => {
      const program = await evaluate("production");
      environment = await startEnvironment(program, {
        withService: false,
        // What goes wrong is told; that a dropped client cannot be served is not news.
        log: () => {},
        signal: AbortSignal.any([signal, released.signal]),
      });
      await createTable(environment);
      return describe(environment);
    },
    drop: async () => dropEveryConnection(running()),
  });
  signal.addEventListener("abort", () => process.connected && process.disconnect(), { once: true });
  await parentLeft;
  released.abort(new Error("the benchmark has ended"));
  await environment?.stop();
  return 0;
});

function describe({ declared, proxy, credentials, caFile }: Environment) {
  return {
    target: {
      region: declared.region,
      host: declared.proxy.endpoint,
      port: declared.proxy.port,
      user: declared.database.user,
      database: declared.database.name,
    },
    listenPort: proxy.port,
    caFile,
    credentials: { fullUri: credentials.fullUri, authorizationToken: credentials.authorizationToken },
  };
}

async function createTable({ postgres, declared }: Environment): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.directUrl });
  await client.connect();
  try {
    await client.query(`SET ROLE ${client.escapeIdentifier(declared.database.user)}`);
    await client.query("CREATE TABLE accounts (id int PRIMARY KEY, name text NOT NULL, balance int NOT NULL)");
    await client.query(`INSERT INTO accounts SELECT n, 'account ' || n, 0 FROM generate_series(0, ${ROWS - 1}) n`);
  } finally {
    await client.end();
  }
}

/** The proxy resets every connection of its clients, of all contenders alike. */
async function dropEveryConnection({ controlPlane }: Environment): Promise<{ at: number }> {
  const at = performance.timeOrigin + performance.now();
  await controlPlane.faults.start({ fault: "drop-every-connection" });
  return { at };
}
