import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { authenticate } from "./authentication.ts";
import type { Authority } from "./authority.ts";
import { ClientGone, DatabaseRefusal, ProxyRefusal, type RefusalCode, TlsHandshakeFailed } from "./errors.ts";
import type { Disturbances } from "./fault-switches.ts";
import { fatalError } from "./messages.ts";
import type { MetricsRecorder } from "./metrics.ts";
import { MAX_CLIENT_LIFETIME_MS, relay } from "./relay.ts";
import { closed, endWithin, onClosed } from "./sockets.ts";
import { type Entrance, type StartedClient, startClient } from "./startup.ts";
import type { Target } from "./target.ts";

/** How long a refused client may take to read why. */
const REFUSAL_LINGER_MS = 2_000;

/** What happens at the proxy, for whoever runs it. Times are milliseconds since the epoch, by the proxy's clock. */
export interface ProxyEvents {
  /** A client presented a token (or, without IAM, a password), good or bad. */
  tokenPresented: [{ readonly at: number }];
  /** A client was joined to a database connection of its own. */
  connectionEstablished: [{ readonly at: number; readonly user: string }];
  /** A client was turned away. */
  connectionRefused: [ConnectionRefused];
}

/** Why a client was turned away. */
export interface ConnectionRefused {
  readonly at: number;
  readonly code: RefusalCode | "DATABASE_REFUSED" | "TLS_HANDSHAKE_FAILED" | "STARTUP_TIMED_OUT" | "CLIENT_UNREACHABLE";
  /** What the client was told; undefined when it was told nothing. */
  readonly text: string | undefined;
  /** Why, in a sentence for the person at the laptop, without any secret. */
  readonly diagnosis: string;
}

/** What every session shares. */
export interface SessionContext extends Entrance {
  readonly authority: Authority;
  readonly target: Target;
  readonly disturbances: Disturbances;
  readonly metrics: MetricsRecorder;
  readonly events: EventEmitter<ProxyEvents>;
  readonly clock: () => number;
  /** Limit, in milliseconds, from the first byte to the token. */
  readonly startupTimeoutMs: number;
}

/** Codes that CloudWatch counts as failed by "misconfigured authentication or TLS". */
const FAILED_AUTH: ReadonlySet<ConnectionRefused["code"]> = new Set([
  "NO_CREDENTIALS",
  "IAM_AUTHENTICATION_FAILED",
  "WRONG_PASSWORD",
  "IAM_NEEDS_TLS",
  "TLS_REQUIRED",
  "TLS_HANDSHAKE_FAILED",
] as const);

/**
 * Serves one client from its first byte to its last: started, authenticated, lent a database connection, relayed.
 * Never rejects: a client that cannot be served is told so and closed. Settles when the client's socket is closed.
 */
export async function serveClient(raw: Socket, context: SessionContext): Promise<void> {
  const { metrics } = context;
  const lower = metrics.hold("ClientConnections");
  metrics.count("ClientConnectionsReceived");
  // The socket to answer on: the TLS one from the moment that it exists.
  let socket = raw;
  raw.on("error", () => {});
  onClosed(raw, () => {
    lower();
    metrics.count("ClientConnectionsClosed");
  });
  try {
    const client = await accept(raw, context, (secured) => {
      socket = secured;
      socket.on("error", () => {});
    });
    if (client) await lendAndRelay(client, context);
  } catch (error) {
    refuse(socket, error, context);
  }
  endWithin(socket, REFUSAL_LINGER_MS);
  await closed(raw);
}

/** Starts and authenticates a client within the limit for both. Undefined when it wanted no session. */
async function accept(
  raw: Socket,
  context: SessionContext,
  secured: (socket: Socket) => void,
): Promise<StartedClient | undefined> {
  const { declared, authority, clock, disturbances, events, metrics, startupTimeoutMs } = context;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    raw.destroy();
  }, startupTimeoutMs);
  try {
    const client = await startClient(raw, context, secured);
    if (!client) return undefined;
    onClosed(raw, metrics.hold(client.tls ? "ClientConnectionsTLS" : "ClientConnectionsNoTLS"));
    const onPresented = () => events.emit("tokenPresented", { at: clock() });
    await authenticate(client, { declared, authority, clock, disturbances, onPresented });
    return client;
  } catch (error) {
    if (late)
      report(
        context,
        "STARTUP_TIMED_OUT",
        undefined,
        `The client took more than ${startupTimeoutMs} ms to start its session.`,
      );
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Borrows a database connection for an authenticated client and relays until either is gone. */
async function lendAndRelay(
  client: StartedClient,
  { clock, declared, events, metrics, target }: SessionContext,
): Promise<void> {
  const departure = watchDeparture(client.socket);
  const connection = await target.borrow(client, departure.signal).finally(departure.stop);
  metrics.count("ClientConnectionsSetupSucceeded");
  events.emit("connectionEstablished", { at: clock(), user: client.user });
  await relay(client.socket, connection, {
    idleClientTimeoutMs: declared.idleClientTimeoutSeconds * 1000,
    maxClientLifetimeMs: MAX_CLIENT_LIFETIME_MS,
    onRequest: () => metrics.count("QueryRequests", client.tls ? "QueryRequestsTLS" : "QueryRequestsNoTLS"),
  });
}

/** Notices that a client which has nothing to say leaves, without taking anything that it does say. */
function watchDeparture(socket: Socket): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const leave = () => controller.abort(new ClientGone());
  // A socket looks for its end by itself, as long as nothing that it received is waiting to be read.
  socket.once("end", leave).once("close", leave);
  if (socket.readableEnded || socket.closed) leave();
  const stop = () => socket.off("end", leave).off("close", leave);
  return { signal: controller.signal, stop };
}

/** Tells the client and whoever listens to the events why there is no session. */
function refuse(socket: Socket, error: unknown, context: SessionContext): void {
  if (error instanceof ClientGone) return;
  if (error instanceof TlsHandshakeFailed) {
    const cause = error.cause instanceof Error ? error.cause.message : String(error.cause);
    report(context, error.code, undefined, `${error.message} ${cause}`);
    socket.destroy();
  } else if (error instanceof DatabaseRefusal) {
    socket.write(error.frame.bytes);
    report(context, error.code, error.message, `PostgreSQL refused the session with SQLSTATE ${error.sqlState}.`);
  } else {
    const refusal =
      error instanceof ProxyRefusal
        ? error
        : new ProxyRefusal("INTERNAL", "", `Unforeseen: ${error instanceof Error ? error.message : String(error)}`, {
            cause: error,
          });
    socket.write(fatalError(refusal.sqlState, refusal.message));
    report(context, refusal.code, refusal.message, refusal.diagnosis);
  }
}

function report(
  context: SessionContext,
  code: ConnectionRefused["code"],
  text: string | undefined,
  diagnosis: string,
): void {
  if (FAILED_AUTH.has(code)) context.metrics.count("ClientConnectionsSetupFailedAuth");
  context.events.emit("connectionRefused", { at: context.clock(), code, text, diagnosis });
}
