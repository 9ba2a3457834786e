import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { DeclaredLoadBalancer } from "./declared.ts";
import { TargetHealth, type TargetState } from "./target-health.ts";

/** What a local load balancer needs. */
export interface LoadBalancerOptions {
  readonly declared: DeclaredLoadBalancer;
  /** Port of 127.0.0.1 that the target listens on; without one, `register` it later. */
  readonly targetPort?: number;
}

/** A front end that stands for the application load balancer. */
export interface LoadBalancer {
  /** `http://127.0.0.1:…`, without a slash at the end. */
  readonly url: string;
  readonly state: TargetState;
  /** Registers a target in place of the one before. It takes requests once its first health check has passed. */
  register(targetPort: number): void;
  /**
   * Waits until the target takes requests.
   *
   * @param limitMs 30,000 by default
   * @throws LoadBalancerError `TARGET_NOT_HEALTHY` after the limit, with the last failed check
   */
  healthy(limitMs?: number): Promise<void>;
  /** Waits, as `healthy` does, for any state. */
  reaches(state: TargetState, limitMs?: number): Promise<void>;
  /** Ends the checks and closes every connection. */
  close(): Promise<void>;
}

/** The target did not get where it was expected. */
export class LoadBalancerError extends Error {
  readonly code = "TARGET_NOT_HEALTHY";

  constructor(message: string) {
    super(message);
    this.name = "LoadBalancerError";
  }
}

/** How long a client's connection may stand unused ("client keep-alive duration", its default): a client never meets a closing one. */
const clientKeepAliveMs = 3_600_000;

/** Headers that belong to one connection and are not forwarded (RFC 9110, section 7.6.1). */
const hopByHop = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Starts the front end on a free port of 127.0.0.1. It answers as an Application Load Balancer does ("Troubleshoot your Application Load
 * Balancers"): 503 without a healthy target, 502 when the target refuses or breaks a connection, also an idle one that it closes too early,
 * 504 when the target sends nothing within the declared idle time-out, 408 when it was the client that sent nothing. AWS differs in one
 * thing on purpose: with no healthy target at all it tries the unhealthy ones, which would hide here that a service never got ready.
 */
export async function startLoadBalancer({ declared, targetPort }: LoadBalancerOptions): Promise<LoadBalancer> {
  const health = new TargetHealth(declared.healthCheck);
  const idleMs = declared.idleTimeoutSeconds * 1_000;
  const agent = new http.Agent({ keepAlive: true, timeout: idleMs });
  const server = http.createServer({ keepAliveTimeout: clientKeepAliveMs }, (request, response) => {
    if (health.state === "healthy") forward(request, response, { agent, idleMs, port: health.port as number });
    else refuse(request, response, 503, "Service Temporarily Unavailable");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  if (targetPort !== undefined) health.register(targetPort);

  const reaches = async (state: TargetState, limitMs = 30_000): Promise<void> => {
    const signal = AbortSignal.timeout(limitMs);
    try {
      while (health.state !== state) await once(health, "state", { signal });
    } catch {
      const seen = `${health.state}; last failed check: ${health.lastFailure}`;
      throw new LoadBalancerError(`the target was not ${state} within ${limitMs} ms but ${seen}`);
    }
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get state() {
      return health.state;
    },
    register: (port) => health.register(port),
    healthy: (limitMs) => reaches("healthy", limitMs),
    reaches,
    close: async () => {
      health.stop();
      agent.destroy();
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Forwarding {
  readonly agent: http.Agent;
  readonly port: number;
  readonly idleMs: number;
}

function forward(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { agent, port, idleMs }: Forwarding,
): void {
  const upstream = http.request({
    agent,
    host: "127.0.0.1",
    port,
    method: request.method,
    path: request.url,
    headers: forwardedHeaders(request),
    // Renewed by every byte in either direction; counts while the connection is made, too.
    timeout: idleMs,
  });
  upstream.once("timeout", () => {
    const clientIsSilent = !request.complete && !upstream.writableNeedDrain;
    if (clientIsSilent) refuse(request, response, 408, "Request Time-out");
    else refuse(request, response, 504, "Gateway Time-out");
    upstream.destroy();
  });
  upstream.once("response", (answer) => {
    if (response.headersSent || response.destroyed) return void answer.resume();
    response.writeHead(answer.statusCode as number, answer.statusMessage, endToEnd(answer.headers));
    // A body that breaks breaks the client's connection too: a part must not pass for the whole.
    pipeline(answer, response, () => {});
  });
  // Not a pipeline: that would close the client's connection when the target breaks, before the 502 is written.
  request.pipe(upstream);
  response.once("close", () => {
    // A client that goes away takes its request with it.
    if (!response.writableFinished) upstream.destroy();
  });
  upstream.on("error", () => refuse(request, response, 502, "Bad Gateway"));
}

/** Answers in the load balancer's own name, in its own page, unless an answer is under way. */
function refuse(request: http.IncomingMessage, response: http.ServerResponse, status: number, reason: string): void {
  if (response.destroyed || response.headersSent) return;
  const page = `<html>\r\n<head><title>${status} ${reason}</title></head>\r\n<body>\r\n<center><h1>${status} ${reason}</h1></center>\r\n</body>\r\n</html>\r\n`;
  // What is still to come of the request's body is nobody's: the connection is not used again then.
  const connection = request.complete ? {} : { connection: "close" };
  response.writeHead(status, reason, { server: "awselb/2.0", "content-type": "text/html", ...connection });
  response.end(page);
}

/** "HTTP headers and Application Load Balancers": what is added to a request. */
function forwardedHeaders(request: http.IncomingMessage): http.OutgoingHttpHeaders {
  const headers = endToEnd(request.headers);
  // The stream is passed on in chunks as it comes, whatever its own chunks were.
  if (request.headers["transfer-encoding"] !== undefined) headers["transfer-encoding"] = "chunked";
  const client = request.socket.remoteAddress ?? "";
  const before = request.headers["x-forwarded-for"];
  headers["x-forwarded-for"] = before === undefined ? client : `${before}, ${client}`;
  headers["x-forwarded-proto"] = "http";
  headers["x-forwarded-port"] = String(request.socket.localPort);
  headers["x-amzn-trace-id"] = traceId(request.headers["x-amzn-trace-id"]);
  return headers;
}

function endToEnd(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  // What the Connection header names belongs to the connection as well.
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? [];
  const kept: http.OutgoingHttpHeaders = {};
  for (const name in headers) if (!hopByHop.has(name) && !named.includes(name)) kept[name] = headers[name];
  return kept;
}

/** "Request tracing for your Application Load Balancer": a request that carries a root keeps it and gets a Self. */
function traceId(given: string | string[] | undefined): string {
  const time = Math.floor(Date.now() / 1_000).toString(16);
  const own = `1-${time}-${randomBytes(12).toString("hex")}`;
  return typeof given === "string" && given.includes("Root=") ? `Self=${own};${given}` : `Root=${own}`;
}
