import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/** Time for a connection that stands when the end begins to ask for something: its first request may be on the way. */
const FIRST_REQUEST_MS = 1_000;

/**
 * Lets the server's end wait for the requests that run and for nothing else. Node closes the connections that are idle when the end begins,
 * but neither one that has not asked for anything yet nor one whose request is answered later: it would be kept alive for the whole
 * keep-alive time-out.
 */
export function drainConnections(app: FastifyInstance): void {
  const unused = new Set<Socket>();
  let closing = false;

  app.server.on("connection", (socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  app.addHook("onRequest", async (request) => {
    unused.delete(request.raw.socket);
  });
  app.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });
  app.addHook("preClose", async () => {
    closing = true;
    setTimeout(() => {
      for (const socket of unused) socket.destroy();
    }, FIRST_REQUEST_MS).unref();
  });
}
