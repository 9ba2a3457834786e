import type { FastifyInstance } from "fastify";
import type { FaultRequest, Faults } from "../faults.ts";
import { FaultError, type FaultErrorCode } from "./error.ts";
import { describeFaults } from "./request.ts";

const STATUS: Readonly<Record<FaultErrorCode, number>> = {
  INVALID_FAULT: 400,
  FAULT_NOT_FOUND: 404,
  FAULT_RUNNING: 409,
  FAULT_FAILED: 500,
  FAULT_NOT_ENDED: 500,
  CLOSED: 503,
};

/** Told to whoever sent a body that is none of these. */
const FAULTS_TAKE = 'POST /faults takes application/json such as {"fault": "latency", "ms": 50}';

/** The methods and paths that {@link faultRoutes} serves. */
export const FAULT_ROUTES = ["POST /faults", "GET /faults", "DELETE /faults", "DELETE /faults/:id"];

/**
 * Serves faults: `POST /faults` starts one and answers 201 with it, `GET /faults` lists those that run, `DELETE /faults` and
 * `DELETE /faults/:id` end them and answer 204 once all is as before. What cannot be read as a fault is answered 400 with every
 * fault and its parameters.
 */
export async function faultRoutes(server: FastifyInstance, { faults }: { readonly faults: Faults }): Promise<void> {
  server.setErrorHandler((error: Error & { code?: string; statusCode?: number }, _request, reply) => {
    const status = error instanceof FaultError ? STATUS[error.code] : (error.statusCode ?? 500);
    const isAboutTheRequest = status >= 400 && status < 500 && !(error instanceof FaultError);
    const message = isAboutTheRequest ? `${error.message}; ${FAULTS_TAKE}` : error.message;
    return reply.code(status).send({
      error: { code: error.code ?? "INTERNAL", message },
      ...((isAboutTheRequest || status === 400) && { allowed: describeFaults() }),
    });
  });
  // Whatever it is, the reader of requests says what is wrong with it.
  server.post<{ Body: FaultRequest }>("/faults", async (request, reply) =>
    reply.code(201).send(await faults.start(request.body)),
  );
  server.get("/faults", async () => ({ faults: faults.list() }));
  server.delete("/faults", async (_request, reply) => {
    await faults.clear();
    return reply.code(204).send();
  });
  server.delete<{ Params: { id: string } }>("/faults/:id", async (request, reply) => {
    await faults.clear(request.params.id);
    return reply.code(204).send();
  });
}
