import pg from "pg";

/** Limits of one connection, in milliseconds. */
const LIMITS = { connectionTimeoutMillis: 5_000, query_timeout: 30_000 } as const;

/** Does something at the database as its superuser, past service and proxy, on a connection of its own: faults may restart the database. */
export async function asSuperuser<T>(directUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: directUrl, ...LIMITS });
  // Told by the statement that runs, too.
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}
