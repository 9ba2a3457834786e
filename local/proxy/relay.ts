import type { Socket } from "node:net";
import type { DatabaseConnection } from "./database-login.ts";
import { authenticationOk, FrameFollower, MessageType } from "./messages.ts";
import { closed, endWithin, onClosed } from "./sockets.ts";

/** Life of a client connection, whatever it does ("RDS Proxy concepts and terminology", Amazon RDS User Guide). */
export const MAX_CLIENT_LIFETIME_MS = 24 * 3_600_000;
/** How long a side may take to swallow the last bytes once the other is gone. */
const LINGER_MS = 1_000;

/** The limits of a relayed session, and who hears of its requests. */
export interface RelayOptions {
  readonly idleClientTimeoutMs: number;
  readonly maxClientLifetimeMs: number;
  /** Called for each request: a simple query, whatever number of statements it holds, or an Execute. */
  readonly onRequest: () => void;
}

/**
 * Joins a client to a database connection of its own until either ends, and settles when both are closed. Each side is
 * read only as fast as the other takes it. Neither survives the other: the proxy relays sessions, not transactions.
 */
export async function relay(client: Socket, database: DatabaseConnection, options: RelayOptions): Promise<void> {
  const upstream = database.socket;
  const hangUp = () => {
    for (const side of [client, upstream]) endWithin(side, LINGER_MS);
  };
  const lifetime = setTimeout(hangUp, options.maxClientLifetimeMs).unref();
  const stopIdle = watchIdleness(client, upstream, options.idleClientTimeoutMs, hangUp);
  const requests = new FrameFollower((type) => {
    if (type === MessageType.query || type === MessageType.execute) options.onRequest();
  });
  client.on("data", (chunk: Buffer) => requests.push(chunk));
  client.write(Buffer.concat([authenticationOk(), database.greeting]));
  client.pipe(upstream);
  upstream.pipe(client);
  onClosed(client, () => endWithin(upstream, LINGER_MS));
  onClosed(upstream, () => endWithin(client, LINGER_MS));
  await Promise.all([closed(client), closed(upstream)]);
  clearTimeout(lifetime);
  stopIdle();
}

/**
 * Calls `onIdle` when the client has sent nothing for the limit after the database's last ReadyForQuery: a statement
 * that runs for long is no idleness. Returns what stops the watch.
 */
function watchIdleness(client: Socket, upstream: Socket, limitMs: number, onIdle: () => void): () => void {
  let timer = setTimeout(onIdle, limitMs).unref();
  const answers = new FrameFollower((type) => {
    clearTimeout(timer);
    if (type === MessageType.readyForQuery) timer = setTimeout(onIdle, limitMs).unref();
  });
  upstream.on("data", (chunk: Buffer) => answers.push(chunk));
  client.on("data", () => clearTimeout(timer));
  return () => clearTimeout(timer);
}
