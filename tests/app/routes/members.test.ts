import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { beforeEach, describe, it } from "mocha";
import { apiFixture, assertProblem, type Created } from "../api-fixture.ts";

interface Member extends Created {
  readonly projectId: string;
  readonly role: string;
}

describe("Members", () => {
  const api = apiFixture();
  let projectId: string;
  let members: string;

  beforeEach(async () => {
    projectId = (await api.createProject()).id;
    members = `/projects/${projectId}/members`;
  });

  it("are created, read, renamed and deleted", async () => {
    const created = await api.ask("POST", members, { name: "Ada" });
    const { id, createdAt } = created.json<Member>();
    assert.equal(created.statusCode, 201);
    assert.equal(created.headers.location, `${members}/${id}`);
    assert.deepEqual(created.json(), { id, projectId, name: "Ada", role: "member", createdAt });
    assert.deepEqual((await api.ask("GET", `${members}/${id}`)).json(), created.json());
    const renamed = await api.ask("PATCH", `${members}/${id}`, { name: "Grace" });
    assert.deepEqual(renamed.json(), { id, projectId, name: "Grace", role: "member", createdAt });
    assert.equal((await api.ask("DELETE", `${members}/${id}`)).statusCode, 204);
    assertProblem(await api.ask("GET", `${members}/${id}`), 404, "MEMBER_NOT_FOUND", new RegExp(id));
  });

  it("are listed oldest first, over pages, and each project has its own", async () => {
    for (let n = 0; n < 5; n++) await api.createMember(projectId);
    await api.createMember((await api.createProject()).id);
    const first = (await api.ask("GET", `${members}?limit=3`)).json();
    const second = (await api.ask("GET", `${members}?limit=3&cursor=${first.nextCursor}`)).json();
    const listed: Member[] = [...first.items, ...second.items];
    assert.equal(first.items.length, 3);
    assert.equal(second.nextCursor, null);
    assert.equal(new Set(listed.map(({ id }) => id)).size, 5);
    assert.ok(listed.every((member) => member.projectId === projectId));
  });

  it("of a project without any are an empty list", async () => {
    assert.deepEqual((await api.ask("GET", members)).json(), { items: [], nextCursor: null });
  });

  it("keep the id that the caller chose, and refuse it the second time", async () => {
    const id = randomUUID();
    assert.equal((await api.ask("POST", members, { id, name: "a" })).json<Member>().id, id);
    assertProblem(await api.ask("POST", members, { id, name: "b" }), 409, "MEMBER_EXISTS", new RegExp(id));
  });

  it("have one owner at most", async () => {
    await api.createMember(projectId, "owner");
    const second = await api.ask("POST", members, { name: "b", role: "owner" });
    assertProblem(second, 409, "OWNER_EXISTS", /transfer the ownership instead/);
    const owners = "SELECT count(*)::int AS n FROM members WHERE project_id = $1 AND role = 'owner'";
    assert.deepEqual(await api.database.query(owners, [projectId]), [{ n: 1 }]);
  });

  it("that own the project cannot be removed", async () => {
    const { id } = await api.createMember(projectId, "owner");
    assertProblem(await api.ask("DELETE", `${members}/${id}`), 409, "MEMBER_IS_OWNER", /transfer the ownership first/);
    assert.equal((await api.ask("GET", `${members}/${id}`)).statusCode, 200);
  });

  it("of another project are not found under this one", async () => {
    const other = await api.createProject();
    const { id } = await api.createMember(other.id);
    for (const [method, payload] of [["GET"], ["PATCH", { name: "n" }], ["DELETE"]] as const) {
      assertProblem(await api.ask(method, `${members}/${id}`, payload), 404, "MEMBER_NOT_FOUND", new RegExp(id));
    }
    const transfer = await api.ask("POST", `/projects/${projectId}/transfer`, { to: id });
    assertProblem(transfer, 404, "MEMBER_NOT_FOUND", new RegExp(id));
  });

  it("of a project that does not exist are a 404", async () => {
    const absent = randomUUID();
    for (const [method, path, payload] of [
      ["GET", "members", undefined],
      ["POST", "members", { name: "n" }],
      ["POST", "transfer", { to: randomUUID() }],
    ] as const) {
      const answer = await api.ask(method, `/projects/${absent}/${path}`, payload);
      assertProblem(answer, 404, "PROJECT_NOT_FOUND", new RegExp(absent));
    }
  });

  it("are refused with a role that there is not, or an id that is none", async () => {
    const boss = await api.ask("POST", members, { name: "n", role: "boss" });
    assertProblem(boss, 400, "VALIDATION", /^body role: must be one of owner, member$/);
    const number = await api.ask("GET", `${members}/1`);
    assertProblem(number, 400, "VALIDATION", /^params memberId: must be a UUID$/);
    const nobody = await api.ask("POST", `/projects/${projectId}/transfer`, {});
    assertProblem(nobody, 400, "VALIDATION", /^body to: must be a UUID$/);
  });
});
