import type { FastifyPluginCallbackZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { type Members, ROLES } from "../members.ts";
import { decodeCursor } from "../pages.ts";
import { name, page, rename, uuid } from "./shapes.ts";

const project = z.object({ projectId: uuid });
const member = z.object({ projectId: uuid, memberId: uuid });
const creation = z.strictObject({
  id: uuid.optional(),
  name,
  role: z.enum(ROLES, { error: `must be one of ${ROLES.join(", ")}` }).default("member"),
});
const transfer = z.strictObject({ to: uuid });

/** `/projects/:projectId/members`: create, list, read, rename, delete; and the transfer of a project's ownership. */
export function memberRoutes(members: Members): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      "/projects/:projectId/members",
      { schema: { params: project, body: creation } },
      async (request, reply) => {
        const { id, name, role } = request.body;
        const created = await members.create(request.params.projectId, name, role, id);
        return reply.code(201).header("location", `/projects/${created.projectId}/members/${created.id}`).send(created);
      },
    );
    app.get("/projects/:projectId/members", { schema: { params: project, querystring: page } }, ({ params, query }) =>
      members.list(params.projectId, query.limit, decodeCursor(query.cursor)),
    );
    app.get("/projects/:projectId/members/:memberId", { schema: { params: member } }, ({ params }) =>
      members.read(params.projectId, params.memberId),
    );
    app.patch("/projects/:projectId/members/:memberId", { schema: { params: member, body: rename } }, (request) =>
      members.rename(request.params.projectId, request.params.memberId, request.body.name),
    );
    app.delete("/projects/:projectId/members/:memberId", { schema: { params: member } }, async (request, reply) => {
      await members.delete(request.params.projectId, request.params.memberId);
      return reply.code(204).send();
    });
    app.post("/projects/:projectId/transfer", { schema: { params: project, body: transfer } }, (request) =>
      members.transfer(request.params.projectId, request.body.to),
    );
    done();
  };
}
