import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, describe, it } from "mocha";
import pg from "pg";
import { keepLedger, readLedger, reckon } from "../../../local/soak/ledger.ts";
import { createTestDatabase } from "../../app/test-database.ts";
import { outcome } from "./evidence.ts";

const SCHEMA = new URL("../../../app/migrations/0002_projects-and-members.sql", import.meta.url);

describe("The database's own ledger of writes", () => {
  let client: pg.Client;
  before(async () => {
    const { host, port, user, password, name } = await createTestDatabase();
    client = new pg.Client({ host, port, user, password, database: name });
    await client.connect();
    const [up] = (await readFile(SCHEMA, "utf8")).split("-- Down Migration");
    await client.query(up ?? "");
    await keepLedger(client);
  });
  after(() => client.end());
  beforeEach(() => client.query("truncate projects, members, soak.writes"));

  const create = async (id: string = randomUUID()): Promise<string> => {
    await client.query("insert into projects (id, name) values ($1, 'new') on conflict do nothing", [id]);
    return id;
  };

  it("notes every kind of write once, and none that was refused or rolled back", async () => {
    const project = await create();
    await create(project);
    await client.query("begin; insert into projects (name) values ('never'); rollback");
    await client.query("update projects set name = 'renamed' where id = $1", [project]);
    const member = randomUUID();
    await client.query("insert into members (id, project_id, name, role) values ($1, $2, 'm', 'member')", [
      member,
      project,
    ]);
    await client.query("update members set role = 'owner' where id = $1", [member]);
    await client.query("update members set role = 'member' where id = $1", [member]);
    assert.deepEqual(
      await readLedger(client),
      ["add member", "create", "rename", "succeeded", "transfer"].map((kind) => ({ kind, writes: 1, different: 1 })),
    );
  });

  it("shows what was written twice, though the rows in the end do not", async () => {
    const project = await create();
    for (const name of ["same", "same", "other"])
      await client.query("update projects set name = $2 where id = $1", [project, name]);
    const { rows } = await client.query("select name from projects");
    assert.deepEqual(rows, [{ name: "other" }]);
    const ledger = await readLedger(client);
    assert.deepEqual(ledger, [
      { kind: "create", writes: 1, different: 1 },
      { kind: "rename", writes: 3, different: 2 },
    ]);
    const outcomes = [outcome(), outcome({ kind: "rename" }), outcome({ kind: "rename" })];
    assert.deepEqual(reckon(ledger, outcomes), { acknowledged: 3, lost: 0, doubled: 1 });
  });

  it("is compared kind by kind: one kind's surplus does not make up for another's loss", () => {
    const ledger = [
      { kind: "create", writes: 2, different: 2 },
      { kind: "succeeded", writes: 5, different: 5 },
    ];
    const outcomes = [outcome(), outcome({ kind: "transfer" }), outcome({ kind: "read" })];
    assert.deepEqual(reckon(ledger, outcomes), { acknowledged: 2, lost: 1, doubled: 1 });
  });
});
