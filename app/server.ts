import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type pg from "pg";
import { answerClientError } from "./client-error.ts";
import type { ServiceConfiguration } from "./config.ts";
import { drainConnections } from "./drain.ts";
import { Members } from "./members.ts";
import { scrub } from "./postgres/index.ts";
import { Problem, problemOf } from "./problems.ts";
import { Projects } from "./projects.ts";
import { healthRoutes } from "./routes/health.ts";
import { memberRoutes } from "./routes/members.ts";
import { projectRoutes } from "./routes/projects.ts";

export interface ServerDependencies {
  readonly pool: pg.Pool;
  readonly logger: FastifyBaseLogger;
  readonly configuration: Pick<ServiceConfiguration, "requestDeadlineSeconds" | "keepAliveSeconds">;
  /** Secrets that must not reach a client. */
  readonly secrets: readonly string[];
}

/** Bytes; the largest body that the API knows is far smaller. */
const BODY_LIMIT = 64 * 1024;
/** A request id of the caller's that is fit for a log line. */
const SANE_REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The HTTP API, ready to listen. Every answer carries `x-request-id`; every error is `{"error": {code, message, requestId}}`. */
export function createServer({ pool, logger, configuration, secrets }: ServerDependencies): FastifyInstance {
  const deadlineMs = configuration.requestDeadlineSeconds * 1000;
  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { status, code, message, cause } = problemOf(error);
    if (status >= 500) request.log.error({ requestId: request.id, code, err: cause ?? error }, message);
    // Set here as well: what fastify refuses before it knows the route has met no hook.
    void reply.code(status).header("x-request-id", request.id);
    void reply.send({ error: { code, message: scrub(message, secrets), requestId: request.id } });
  }
  const app = fastify({
    loggerInstance: logger,
    // One line a request, written below.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    frameworkErrors: answerError,
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_LIMIT,
    handlerTimeout: deadlineMs,
    // A client that sends its request too slowly is cut off by the HTTP server itself.
    requestTimeout: deadlineMs,
    keepAliveTimeout: configuration.keepAliveSeconds * 1000,
    // The load balancer may send on a connection that stands until it has seen us go: such a request is served too.
    return503OnClosing: false,
  });
  // The API takes JSON only.
  app.removeContentTypeParser("text/plain");
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  drainConnections(app);
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method, url, id } = request;
    const ms = Math.round(reply.elapsedTime);
    request.log.info({ requestId: id, method, url, status: reply.statusCode, ms }, "request");
  });
  app.setNotFoundHandler((request) => {
    throw new Problem(404, "ROUTE_NOT_FOUND", `There is no ${request.method} ${request.url.split("?")[0]}`);
  });
  app.setErrorHandler(answerError);

  app.register(healthRoutes(pool));
  app.register(projectRoutes(new Projects(pool)));
  app.register(memberRoutes(new Members(pool)));
  return app;
}

function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && SANE_REQUEST_ID.test(given) ? given : randomUUID();
}
