import type { FastifyPluginCallbackZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { decodeCursor } from "../pages.ts";
import type { Projects } from "../projects.ts";
import { name, page, rename, uuid } from "./shapes.ts";

const params = z.object({ projectId: uuid });
const creation = z.strictObject({ id: uuid.optional(), name });

/** `/projects`: create, list, read, rename, delete. */
export function projectRoutes(projects: Projects): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post("/projects", { schema: { body: creation } }, async (request, reply) => {
      const project = await projects.create(request.body.name, request.body.id);
      return reply.code(201).header("location", `/projects/${project.id}`).send(project);
    });
    app.get("/projects", { schema: { querystring: page } }, ({ query }) =>
      projects.list(query.limit, decodeCursor(query.cursor)),
    );
    app.get("/projects/:projectId", { schema: { params } }, (request) => projects.read(request.params.projectId));
    app.patch("/projects/:projectId", { schema: { params, body: rename } }, (request) =>
      projects.rename(request.params.projectId, request.body.name),
    );
    app.delete("/projects/:projectId", { schema: { params } }, async (request, reply) => {
      await projects.delete(request.params.projectId);
      return reply.code(204).send();
    });
    done();
  };
}
