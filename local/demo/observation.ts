import pg from "pg";
import type { ContainerLine } from "../container-log.ts";
import type { LocalProxy } from "../proxy/server.ts";

/** What is seen of the service from outside of it while the load runs: its log, and the proxy that it connects to. */
export class Observation {
  /** When a physical connection to the database was established, in milliseconds since 1970. */
  readonly connectionTimes: number[] = [];
  /** When the service reported that it tries to connect again. */
  readonly retryTimes: number[] = [];
  /** Tokens that were presented to the proxy; each is minted for the one attempt that presents it. */
  tokens = 0;
  /** Connections that the service gave up on. */
  readonly errors: string[] = [];

  /** Listens to the proxy. */
  watchProxy({ events }: Pick<LocalProxy, "events">): void {
    events.on("connectionEstablished", ({ at }) => this.connectionTimes.push(at));
    events.on("tokenPresented", () => {
      this.tokens++;
    });
  }

  /** Takes a line of a container's log. */
  readonly onLine = ({ record }: ContainerLine): void => {
    if (record?.logger !== "db-auth") return;
    if (record.code === "RETRYING") this.retryTimes.push(Date.parse(String(record.time)));
    if (record.level === "error") this.errors.push(`${record.code}: ${record.msg}`);
  };
}

/** Ids of the projects and members that the database holds, asked as its superuser, past proxy and service. */
export async function storedIds(directUrl: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: directUrl, connectionTimeoutMillis: 5_000, query_timeout: 30_000 });
  // Told by the query that is running, too.
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>("select id from projects union all select id from members");
    return rows.map(({ id }) => id);
  } finally {
    await client.end();
  }
}
