import { randomBytes } from "node:crypto";
import { after } from "mocha";
import pg from "pg";
import { type Postgres, startPostgres } from "../../local/postgres.ts";
import { startReaper } from "../../local/reaper.ts";

/** Where a test connects: a database of its own, as a user with what RDS's master user has and no more. */
export interface TestDatabase {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  /** Runs a statement as the superuser, in this database. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

const user = "app_master";
const password = `pw-${randomBytes(12).toString("hex")}`;
let server: Promise<Postgres> | undefined;
let databases = 0;

/** A new, empty database on the one PostgreSQL that the application's tests share. To be called in a hook or a test. */
export async function createTestDatabase(): Promise<TestDatabase> {
  server ??= startServer();
  const { host, port, directUrl } = await server;
  databases += 1;
  const name = `app_${databases}`;
  await asSuperuser(directUrl, `CREATE DATABASE ${name} OWNER ${user}`);
  const url = new URL(directUrl);
  url.pathname = name;
  return {
    host,
    port,
    user,
    password,
    name,
    query: (text, values) => asSuperuser(url.href, text, values),
  };
}

async function asSuperuser<Row extends pg.QueryResultRow>(
  connectionString: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/**
 * Ends with the tests that run now, which is all files, or each by itself where mocha runs several at once and a module serves
 * more than one of them: so the hook is one of the root suite of these tests, not of whichever imported this first.
 */
function startServer(): Promise<Postgres> {
  const reaper = startReaper({ log: () => {} });
  const started = startPostgres({
    majorVersion: 17,
    maxConnections: 150,
    forceSsl: false,
    master: { user, password },
    database: "first",
    reaper,
    log: () => {},
  });
  after(async () => {
    server = undefined;
    try {
      await (await started).stop();
    } finally {
      await reaper.close();
    }
  });
  return started;
}
