import fastify, { type FastifyReply } from "fastify";
import type { ControlPlane } from "./control-plane.ts";
import { FAULT_ROUTES, faultRoutes } from "./faults/routes.ts";
import { SecretError } from "./secret.ts";

/** A running control interface. */
export interface ControlServer {
  readonly url: string;
  close(): Promise<void>;
}

/** What an operator's request got wrong, or the environment cannot do now, by the secret's error codes. */
const STATUS: Readonly<Record<string, number>> = {
  INVALID_WINDOW: 400,
  ROTATION_IN_PROGRESS: 409,
  CLOSED: 503,
  NOT_ACTIVE: 503,
};

/** Told to whoever sent a body that is none of these. */
const ROTATE_TAKES = 'POST /rotate takes no body, or application/json {"windowMs": n}';

const ROUTES = ["POST /rotate", "GET /metrics", "GET /healthz", ...FAULT_ROUTES];

/** The secret itself says which windows it allows; here only what else a body might hold is refused. */
const ROTATE_BODY = { type: ["object", "null"], properties: { windowMs: {} }, additionalProperties: false };

/**
 * Serves the control plane as JSON over HTTP on the loopback address: `POST /rotate`, `GET /metrics`, `GET /healthz`, and the
 * faults.
 *
 * @param failing says why the environment is not well, or undefined
 */
export async function startControl(
  controlPlane: ControlPlane,
  failing: () => string | undefined,
): Promise<ControlServer> {
  // Nothing is read as something else, and nothing is dropped in silence.
  const server = fastify({
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    forceCloseConnections: true,
  });
  server.setErrorHandler((error: Error & { code?: string; statusCode?: number }, _request, reply) => {
    const status = STATUS[error.code ?? ""] ?? error.statusCode ?? 500;
    const isOfBody = !(error instanceof SecretError) && status < 500;
    return refuse(
      reply,
      status,
      error.code ?? "INTERNAL",
      isOfBody ? `${error.message}; ${ROTATE_TAKES}` : error.message,
    );
  });
  server.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, "NOT_FOUND", `${request.method} ${request.url}; there are ${ROUTES.join(", ")}`),
  );
  server.post<{ Body: { windowMs?: number } | null }>("/rotate", { schema: { body: ROTATE_BODY } }, async (request) => {
    const { versionId, windowMs } = await controlPlane.rotate(request.body ?? {});
    return { versionId, windowMs };
  });
  server.get("/metrics", async () => controlPlane.metrics());
  server.get("/healthz", async (_request, reply) => {
    const reason = failing();
    if (reason !== undefined) return refuse(reply, 503, "ENVIRONMENT_FAILED", reason);
    return { status: "ok", secret: controlPlane.secretStatus().state };
  });
  server.register(faultRoutes, { faults: controlPlane.faults });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, close: () => server.close() };
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } });
}
