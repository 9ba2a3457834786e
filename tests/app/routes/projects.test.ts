import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, it } from "mocha";
import { apiFixture, assertProblem, type Created } from "../api-fixture.ts";

interface List {
  readonly items: readonly Created[];
  readonly nextCursor: string | null;
}

describe("Projects", () => {
  const api = apiFixture();

  it("are created, read, renamed and deleted", async () => {
    const created = await api.ask("POST", "/projects", { name: "  Apollo  " });
    const { id, createdAt } = created.json<Created>();
    assert.equal(created.statusCode, 201);
    assert.equal(created.headers.location, `/projects/${id}`);
    assert.deepEqual(created.json(), { id, name: "Apollo", createdAt });
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);

    const read = await api.ask("GET", `/projects/${id}`);
    assert.equal(read.statusCode, 200);
    assert.deepEqual(read.json(), { id, name: "Apollo", createdAt });

    const renamed = await api.ask("PATCH", `/projects/${id}`, { name: "Gemini" });
    assert.equal(renamed.statusCode, 200);
    assert.deepEqual(renamed.json(), { id, name: "Gemini", createdAt });

    const deleted = await api.ask("DELETE", `/projects/${id}`);
    assert.equal(deleted.statusCode, 204);
    assert.equal(deleted.body, "");
    assertProblem(await api.ask("GET", `/projects/${id}`), 404, "PROJECT_NOT_FOUND", new RegExp(id));
  });

  it("keep the id that the caller chose, in lower case, and refuse it the second time", async () => {
    const id = randomUUID();
    const created = await api.ask("POST", "/projects", { id: id.toUpperCase(), name: "first" });
    assert.equal(created.json<Created>().id, id);
    assertProblem(await api.ask("POST", "/projects", { id, name: "second" }), 409, "PROJECT_EXISTS", new RegExp(id));
    assert.equal((await api.ask("GET", `/projects/${id}`)).json<Created>().name, "first");
  });

  it("take what belongs to SQL and to other alphabets as a name like any other", async () => {
    for (const name of ["Robert'); DROP TABLE projects;--", "Ærøskøbing 東京 🚀", "x".repeat(200)]) {
      assert.equal((await api.createProject(name)).name, name);
    }
  });

  it("go with their members", async () => {
    const { id } = await api.createProject();
    await api.createMember(id, "owner");
    assert.equal((await api.ask("DELETE", `/projects/${id}`)).statusCode, 204);
    assert.deepEqual(await api.database.query("SELECT 1 FROM members WHERE project_id = $1", [id]), []);
  });

  const absent = randomUUID();
  for (const [method, payload] of [
    ["GET", undefined],
    ["PATCH", { name: "n" }],
    ["DELETE", undefined],
  ] as const) {
    it(`that do not exist are a 404 to ${method}`, async () => {
      const answer = await api.ask(method, `/projects/${absent}`, payload);
      assertProblem(answer, 404, "PROJECT_NOT_FOUND", new RegExp(`^There is no project ${absent}$`));
    });
  }

  const refused: readonly [string, "POST" | "PATCH" | "GET" | "DELETE", string, object | undefined, RegExp][] = [
    ["no name", "POST", "/projects", {}, /^body name: must be a text$/],
    ["a name that is no text", "POST", "/projects", { name: 7 }, /^body name: must be a text$/],
    ["an empty name", "POST", "/projects", { name: "   " }, /^body name: must not be empty$/],
    ["a long name", "POST", "/projects", { name: "x".repeat(201) }, /^body name: must have at most 200 characters$/],
    ["a control character", "POST", "/projects", { name: "a\u0000b" }, /^body name: must not have control characters$/],
    ["an unknown field", "POST", "/projects", { name: "n", owner: "o" }, /^body: .*owner/],
    ["an id that is none", "POST", "/projects", { name: "n", id: "7" }, /^body id: must be a UUID$/],
    ["two faults, both named", "POST", "/projects", { name: "", id: "7" }, /body id: .*; body name: /],
    ["a body that is a list", "POST", "/projects", [], /^body: /],
    ["a rename to nothing", "PATCH", `/projects/${absent}`, { name: "" }, /^body name: must not be empty$/],
    ["a path that is no id", "GET", "/projects/7", undefined, /^params projectId: must be a UUID$/],
    ["a path that is no id", "DELETE", "/projects/7", undefined, /^params projectId: must be a UUID$/],
    ["a limit of 0", "GET", "/projects?limit=0", undefined, /^querystring limit: must be an integer from 1 to 100$/],
    [
      "a limit of 101",
      "GET",
      "/projects?limit=101",
      undefined,
      /^querystring limit: must be an integer from 1 to 100$/,
    ],
    ["a limit of x", "GET", "/projects?limit=x", undefined, /^querystring limit: must be an integer from 1 to 100$/],
    ["a limit of 1.5", "GET", "/projects?limit=1.5", undefined, /^querystring limit: must be an integer/],
    ["a foreign cursor", "GET", "/projects?cursor=abc", undefined, /^querystring cursor: use the nextCursor/],
    ["a long cursor", "GET", `/projects?cursor=${"x".repeat(201)}`, undefined, /^querystring cursor: must be the next/],
    ["an unknown parameter", "GET", "/projects?page=2", undefined, /^querystring: .*page/],
  ];
  for (const [what, method, url, payload, message] of refused) {
    it(`refuse ${what} (${method}), naming the field`, async () => {
      assertProblem(await api.ask(method, url, payload), 400, "VALIDATION", message);
    });
  }

  describe("in a list", () => {
    before(async () => {
      await api.database.query("DELETE FROM projects");
      // Several of one moment, so that the id must decide.
      await api.database.query(
        "INSERT INTO projects (name, created_at) SELECT n, '2026-01-01T00:00:00Z'::timestamptz + n / 10 * interval '1 s' FROM generate_series(1, 45) n",
      );
    });

    it("come oldest first, 20 at a time by default", async () => {
      const list = (await api.ask("GET", "/projects")).json<List>();
      assert.equal(list.items.length, 20);
      assert.equal(typeof list.nextCursor, "string");
      const times = list.items.map(({ createdAt }) => createdAt);
      assert.deepEqual(times, times.toSorted());
    });

    for (const limit of [1, 7, 44, 45, 46, 100]) {
      it(`come each exactly once over pages of ${limit}`, async () => {
        const seen: string[] = [];
        let pages = 0;
        let cursor: string | null = null;
        do {
          const query: string = cursor === null ? "" : `&cursor=${cursor}`;
          const list: List = (await api.ask("GET", `/projects?limit=${limit}${query}`)).json<List>();
          seen.push(...list.items.map(({ id }) => id));
          cursor = list.nextCursor;
          pages += 1;
        } while (cursor !== null && pages < 100);
        assert.equal(seen.length, 45);
        assert.equal(new Set(seen).size, 45);
        assert.equal(pages, Math.ceil(45 / limit));
      });
    }

    it("that change between two pages repeat none of the first", async () => {
      const first = (await api.ask("GET", "/projects?limit=10")).json<List>();
      await api.ask("DELETE", `/projects/${first.items[9]?.id}`);
      const second = (await api.ask("GET", `/projects?limit=10&cursor=${first.nextCursor}`)).json<List>();
      assert.equal(second.items.length, 10);
      const ids = new Set(first.items.map(({ id }) => id));
      assert.ok(second.items.every(({ id }) => !ids.has(id)));
    });
  });
});
