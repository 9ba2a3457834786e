import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { DeclaredProxy } from "../declared.ts";
import type { Authority } from "./authority.ts";
import type { DatabaseAddress } from "./database-login.ts";
import { InvalidProxySettings } from "./errors.ts";
import type { FaultPoints } from "./fault-points.ts";
import { faultPointsOf, readContext, Switches } from "./fault-switches.ts";
import { Listener } from "./listener.ts";
import { MetricsRecorder, type ProxyMetrics } from "./metrics.ts";
import { type ProxyEvents, type SessionContext, serveClient } from "./session.ts";
import { Target } from "./target.ts";
import type { TargetHealth } from "./target-health.ts";
import { Wire } from "./wire.ts";

/** From the first byte to the token: PostgreSQL's default of `authentication_timeout`. AWS names no figure of its own. */
const STARTUP_TIMEOUT_MS = 60_000;
/** Limit of `close()`; sockets are destroyed at once, so this only guards against the unforeseen. */
const CLOSE_MS = 5_000;

/** What the local proxy is made from. */
export interface ProxyOptions {
  readonly declared: DeclaredProxy;
  /** `max_connections` of the database, of which the proxy may take its declared share. */
  readonly maxConnections: number;
  readonly authority: Authority;
  /** PEM texts; the certificate must carry the declared endpoint's name. */
  readonly tls: { readonly key: string; readonly cert: string };
  readonly database: DatabaseAddress;
  /** Milliseconds since the epoch, for tokens and events. Default: the machine's clock. */
  readonly clock?: () => number;
  /** Default: a free port. */
  readonly listenPort?: number;
  /** From a client's first byte to its token, in milliseconds. Default: 60,000. */
  readonly startupTimeoutMs?: number;
}

/** A running local RDS Proxy, on the loopback address. */
export interface LocalProxy {
  readonly port: number;
  /** Never emits `error`; a listener that throws is its owner's affair. */
  readonly events: EventEmitter<ProxyEvents>;
  metrics(): ProxyMetrics;
  targetHealth(): TargetHealth;
  /** Where faults act on it. */
  readonly faultPoints: FaultPoints;
  /** Stops listening and destroys every connection, within five seconds. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts a server that treats clients as the declared RDS Proxy would.
 *
 * @throws InvalidProxySettings when the declared share allows no connection, or the key and certificate do not fit
 * @throws Error with code EADDRINUSE and the like, when it cannot listen
 */
export async function startProxy(options: ProxyOptions): Promise<LocalProxy> {
  const { clock = Date.now, declared } = options;
  const capacity = readCapacity(options);
  const ownContext = readCertificate(options);
  const metrics = new MetricsRecorder(capacity);
  const events = new EventEmitter<ProxyEvents>();
  const switches = new Switches();
  const authority = switches.over(options.authority);
  const wire = new Wire();
  const sockets = new Set<Socket>();
  const sessions = new Set<Promise<void>>();
  const listener = new Listener((socket) => {
    wire.carry(socket);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    const session = admit(socket, context)
      // Only a fault outside of the proxy ends up here, such as an authority or a listener that throws.
      .catch(() => socket.destroy())
      .then(() => {
        sessions.delete(session);
      });
    sessions.add(session);
  });
  await listener.open(options.listenPort ?? 0);
  const target = new Target({ declared, authority, database: options.database, metrics, capacity });
  const context: SessionContext = {
    declared,
    authority,
    target,
    secureContext: () => switches.secureContext ?? ownContext,
    disturbances: switches,
    wire,
    metrics,
    events,
    clock,
    startupTimeoutMs: options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS,
  };
  let closing: Promise<void> | undefined;
  return {
    port: listener.port,
    events,
    metrics: () => metrics.snapshot(),
    targetHealth: () => target.health(),
    faultPoints: faultPointsOf({ switches, wire, listener, target, sockets }),
    close: () => {
      closing ??= stop(listener, wire, target, sockets, sessions);
      return closing;
    },
  };
}

/** Serves a client that the network lets through. */
async function admit(socket: Socket, context: SessionContext): Promise<void> {
  if (context.authority.clientMayReachProxy()) await serveClient(socket, context);
  else staySilent(socket, context);
}

/** Security groups drop packets: the client hears nothing, and its own time-out must end the wait. */
function staySilent(socket: Socket, { clock, declared, events }: SessionContext): void {
  socket.on("error", () => {});
  // Unread, the client's departure would go unnoticed.
  socket.resume();
  events.emit("connectionRefused", {
    at: clock(),
    code: "CLIENT_UNREACHABLE",
    text: undefined,
    diagnosis: `The security groups do not let the service reach the proxy ${declared.name} on port ${declared.port}: it needs egress at the service and ingress at the proxy.`,
  });
}

async function stop(
  listener: Listener,
  wire: Wire,
  target: Target,
  sockets: Set<Socket>,
  sessions: Set<Promise<void>>,
): Promise<void> {
  listener.close();
  wire.release();
  for (const socket of sockets) socket.destroy();
  const limit = new AbortController();
  await Promise.race([
    Promise.allSettled([target.close(), ...sessions]),
    delay(CLOSE_MS, undefined, { signal: limit.signal }).catch(() => {}),
  ]);
  limit.abort();
}

function readCapacity({ declared, maxConnections }: ProxyOptions): number {
  const capacity = Math.floor((maxConnections * declared.maxConnectionsPercent) / 100);
  if (capacity >= 1) return capacity;
  throw new InvalidProxySettings(
    `The proxy ${declared.name} may open ${declared.maxConnectionsPercent} % of max_connections = ${maxConnections}, which allows ${capacity} database connections; at least 1 is needed. Raise either.`,
  );
}

function readCertificate({ declared, tls }: ProxyOptions) {
  try {
    return readContext(tls);
  } catch (cause) {
    throw new InvalidProxySettings(
      `The key and certificate for ${declared.endpoint} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
