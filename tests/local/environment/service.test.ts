import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { after, before, describe, it } from "mocha";
import pg from "pg";
import type { ContainerLine } from "../../../local/container-log.ts";
import type { Environment } from "../../../local/environment.ts";
import { failureGroups } from "../../../local/load/outcome.ts";
import { startLoad } from "../../../local/load.ts";
import { without } from "../../../local/program/edit.ts";
import { clientOf, evaluated, type Observed, observe } from "../environment-fixture.ts";
import { eventually } from "../eventually.ts";
import { openFolder } from "../open-folder.ts";
import { descendants, processTable } from "../process-table.ts";

interface Item {
  readonly id: string;
  readonly name: string;
  readonly role?: string;
  readonly createdAt: string;
}

interface Answer {
  readonly status: number;
  readonly body: {
    readonly items?: readonly Item[];
    readonly nextCursor?: string | null;
    readonly error?: { readonly code: string; readonly message: string; readonly requestId: string };
  } & Partial<Item>;
}

describe("The service behind its load balancer", function () {
  this.timeout(60_000);
  let observed: Observed;

  before(async () => {
    // Physical connections that live two seconds at most, so that a rotation meets new ones.
    observed = await observe(await evaluated({ connectionLifetimeSeconds: "2" }), { withService: true });
  });
  after(() => observed?.environment.stop());

  const serviceUrl = (): string => observed.environment.service?.loadBalancer.url ?? "";

  async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${serviceUrl()}${path}`, {
      method,
      signal: AbortSignal.timeout(10_000),
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    assert.ok(response.headers.get("x-request-id"));
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  }

  it("starts the migration first, and the application only after it has succeeded", () => {
    const { lines } = observed;
    assert.deepEqual([...new Set(lines.map(({ container }) => container))], ["migrate", "service"]);
    const migrated = lines.findIndex(({ record }) => record?.msg === "Migrated");
    const first = lines.findIndex(({ container }) => container === "service");
    assert.ok(migrated !== -1 && migrated < first);
  });

  it("creates, lists page by page, reads, renames and deletes projects", async () => {
    // In the order of a list, should two of them be made within one millisecond.
    const ids = Array.from({ length: 5 }, () => randomUUID()).sort();
    for (const [index, id] of ids.entries()) {
      const created = await ask("POST", "/projects", { id, name: `project ${index}` });
      assert.equal(created.status, 201);
      assert.equal(created.body.id, id);
    }
    const pages: (readonly string[])[] = [];
    for (let cursor: string | null | undefined = ""; typeof cursor === "string"; ) {
      const { status, body } = await ask("GET", `/projects?limit=2${cursor && `&cursor=${cursor}`}`);
      assert.equal(status, 200);
      pages.push(body.items?.map(({ id }) => id) ?? []);
      cursor = body.nextCursor;
    }
    assert.deepEqual(pages, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    const path = `/projects/${ids[0]}`;
    assert.equal((await ask("PATCH", path, { name: "renamed" })).status, 200);
    assert.equal((await ask("GET", path)).body.name, "renamed");
    for (const id of ids) assert.equal((await ask("DELETE", `/projects/${id}`)).status, 204);
    assert.equal((await ask("GET", path)).status, 404);
    assert.deepEqual((await ask("GET", "/projects")).body, { items: [], nextCursor: null });
  });

  it("adds members and transfers a project from one owner to another", async () => {
    const { body: project } = await ask("POST", "/projects", { name: "with members" });
    const path = `/projects/${project.id}`;
    const ada = (await ask("POST", `${path}/members`, { name: "Ada", role: "owner" })).body;
    const grace = (await ask("POST", `${path}/members`, { name: "Grace" })).body;
    assert.deepEqual([ada.role, grace.role], ["owner", "member"]);
    assert.equal((await ask("POST", `${path}/transfer`, { to: grace.id })).status, 200);
    const { items } = (await ask("GET", `${path}/members`)).body;
    assert.deepEqual(
      items?.map(({ name, role }) => [name, role]),
      [
        ["Ada", "member"],
        ["Grace", "owner"],
      ],
    );
    assert.equal((await ask("DELETE", path)).status, 204);
    assert.equal((await ask("GET", `${path}/members/${ada.id}`)).status, 404);
  });

  for (const { method, path, body, status, code } of [
    { method: "POST", path: "/projects", body: { name: "" }, status: 400, code: "VALIDATION" },
    { method: "POST", path: "/projects", body: { name: "x", owner: "y" }, status: 400, code: "VALIDATION" },
    { method: "GET", path: "/projects?limit=0", status: 400, code: "VALIDATION" },
    { method: "GET", path: "/projects?cursor=invented", status: 400, code: "VALIDATION" },
    { method: "GET", path: "/projects/1", status: 400, code: "VALIDATION" },
    { method: "GET", path: `/projects/${randomUUID()}`, status: 404, code: "PROJECT_NOT_FOUND" },
    { method: "GET", path: "/nowhere", status: 404, code: "ROUTE_NOT_FOUND" },
  ]) {
    it(`answers ${method} ${path.replace(/[0-9a-f-]{36}/, "ID")} ${body ? JSON.stringify(body) : ""} with ${status} ${code}`, async () => {
      const answer = await ask(method, path, body);
      assert.equal(answer.status, status);
      assert.equal(answer.body.error?.code, code);
      assert.ok(answer.body.error?.requestId);
    });
  }

  it("fails no request while the credential rotates under load, and loses none of its writes", async () => {
    const { environment, lines } = observed;
    const opened: number[] = [];
    environment.proxy.events.on("connectionEstablished", ({ at }) => opened.push(at));
    await using standing = await connected(environment);
    const backend = async () =>
      (await standing.client.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid;
    const before = await backend();
    const passwords = [environment.secret.currentLogin().password];

    const load = startLoad({ url: serviceUrl(), rate: 100, seconds: 5 });
    await eventually("a write is acknowledged", 4_000, () => load.acknowledgedIds.length > 0);
    // Longer than a connection lives: whatever stands when the window opens ends in it, and others must be opened.
    const rotating = environment.secret.rotate({ windowMs: 2_500 });
    await eventually("the window is open", 2_000, () => environment.secret.secretStatus().windowOpenedAt !== undefined);
    const bursts = setInterval(() => load.burst(20), 200);
    // A connection that stands is none of the rotation's business.
    assert.equal(await backend(), before);
    const rotation = await rotating.finally(() => clearInterval(bursts));
    passwords.push(environment.secret.currentLogin().password);
    load.burst(20);
    await load.done;

    assert.deepEqual(failureGroups(load.outcomes), []);
    assert.ok(load.outcomes.length >= 500);
    const events = lines.flatMap(({ record }) => (record?.logger === "db-auth" ? [record] : []));
    assert.ok(events.some(({ code }) => code === "RETRYING"));
    assert.deepEqual(
      events.filter(({ level }) => level === "error"),
      [],
    );
    assert.ok(opened.some((at) => at > rotation.promotedAt));
    assert.equal(await backend(), before);
    assert.equal(await stored(environment.postgres.directUrl, load.acknowledgedIds), load.acknowledgedIds.length);

    assert.equal(new Set(passwords).size, 2);
    for (const secret of [...passwords, "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"]) {
      assert.deepEqual(
        lines.filter(({ text }) => text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))),
        [],
      );
    }
  });
});

describe("A service whose grant is wrong", function () {
  this.timeout(60_000);

  it("never takes traffic: its migration says what it was told, and nothing is left", async () => {
    const program = await evaluated({ migrationDeadlineSeconds: "2" });
    const slip = without(program, { type: "RolePolicy", name: "proxy-connect-service" });
    const messages: string[] = [];
    const lines: ContainerLine[] = [];
    const temporary = process.env.TMPDIR;
    const folder = await openFolder();
    process.env.TMPDIR = folder;
    try {
      const children = descendants(await processTable(), process.pid).map(({ pid }) => pid);
      const start = async () => {
        await using _started = await observe(slip, { withService: true, messages, lines });
      };
      await assert.rejects(start, (error: Error & { code?: string }) => {
        assert.equal(error.code, "EXITED");
        assert.match(error.message, /migrate.* exited with code 1 and had to succeed before "service" starts/);
        assert.match(error.message, /The IAM authentication failed for the role service_owner\./);
        assert.match(error.message, /not finished within 2 s \(MIGRATION_DEADLINE_SECONDS\)/);
        return true;
      });
      assert.deepEqual([...new Set(lines.map(({ container }) => container))], ["migrate"]);
      assert.deepEqual(
        messages.filter((message) => /load balancer|healthy|the service answers/.test(message)),
        [],
      );
      assert.ok(messages.some((message) => message.startsWith("starting the task: migrate, then service")));
      const left = descendants(await processTable(), process.pid).filter(({ pid }) => !children.includes(pid));
      assert.deepEqual(left, []);
      assert.deepEqual(await readdir(folder), []);
    } finally {
      if (temporary === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = temporary;
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** A client of the proxy that is ended with its block, and that no end from the other side can upset. */
async function connected(environment: Environment): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const client = await clientOf(environment);
  client.on("error", () => {});
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

/** How many of the projects the database holds, asked past the proxy. */
async function stored(directUrl: string, ids: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString: directUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>(
      "select count(*)::int as count from (select id from projects union all select id from members) as stored where id = any($1)",
      [ids],
    );
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
}
