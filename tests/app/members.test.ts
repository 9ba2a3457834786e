import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { beforeEach, describe, it } from "mocha";
import { eventually } from "../local/eventually.ts";
import { apiFixture, assertProblem, type Created } from "./api-fixture.ts";

describe("The transfer of a project's ownership", () => {
  const api = apiFixture();
  let projectId: string;
  let owner: Created;
  let member: Created;

  beforeEach(async () => {
    projectId = (await api.createProject()).id;
    owner = await api.createMember(projectId, "owner");
    member = await api.createMember(projectId);
  });

  function transfer(to: string) {
    return api.ask("POST", `/projects/${projectId}/transfer`, { to });
  }

  function owners(): Promise<{ id: string }[]> {
    return api.database.query<{ id: string }>("SELECT id FROM members WHERE project_id = $1 AND role = 'owner'", [
      projectId,
    ]);
  }

  it("makes one the owner and the other a member", async () => {
    const answer = await transfer(member.id);
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.json(), {
      owner: { ...member, role: "owner" },
      previousOwner: { ...owner, role: "member" },
    });
    assert.deepEqual(await owners(), [{ id: member.id }]);
  });

  it("to the one who has it changes nothing", async () => {
    const answer = await transfer(owner.id);
    assert.deepEqual(answer.json(), { owner: { ...owner, role: "owner" }, previousOwner: null });
    assert.deepEqual(await owners(), [{ id: owner.id }]);
  });

  it("gives a project without an owner its first", async () => {
    await api.database.query("UPDATE members SET role = 'member' WHERE id = $1", [owner.id]);
    const answer = await transfer(member.id);
    assert.equal(answer.json().previousOwner, null);
    assert.deepEqual(await owners(), [{ id: member.id }]);
  });

  it("to nobody leaves everything as it was, and no transaction open", async () => {
    const nobody = randomUUID();
    assertProblem(await transfer(nobody), 404, "MEMBER_NOT_FOUND", new RegExp(nobody));
    assert.deepEqual(await owners(), [{ id: owner.id }]);
    const open = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND state LIKE 'idle in transaction%'";
    assert.deepEqual(await api.database.query(open, [api.database.name]), []);
  });

  it("that fails half-way is rolled back as a whole", async () => {
    // The second of the two updates fails.
    await api.database.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'internals'; END $$;
      CREATE TRIGGER refuse BEFORE UPDATE ON members FOR EACH ROW WHEN (NEW.role = 'owner') EXECUTE FUNCTION refuse();
    `);
    try {
      const answer = await transfer(member.id);
      assertProblem(answer, 500, "INTERNAL", /^Something went wrong on our side$/);
    } finally {
      await api.database.query("DROP FUNCTION refuse CASCADE");
    }
    assert.deepEqual(await owners(), [{ id: owner.id }]);
    assert.equal((await transfer(member.id)).statusCode, 200);
  });

  it("asked for many times at once always leaves exactly one owner", async () => {
    const others = await Promise.all(Array.from({ length: 4 }, () => api.createMember(projectId)));
    const targets = [owner, member, ...others];
    const answers = await Promise.all([...targets, ...targets].map(({ id }) => transfer(id)));
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      answers.map(() => 200),
    );
    // Each found what another left: as a chain, every previous owner was made owner by one of them, or was the first.
    const changes = answers.map((answer) => answer.json()).filter(({ previousOwner }) => previousOwner !== null);
    const gained = changes.map((change) => change.owner.id);
    const lost = changes.map((change) => change.previousOwner.id);
    const [last] = await owners();
    assert.deepEqual([...gained, owner.id].toSorted(), [...lost, last?.id].toSorted());
    assert.equal((await owners()).length, 1);
  });

  it("waits for another of the same project rather than deciding on what is about to change", async () => {
    const blocker = await api.pool.connect();
    await blocker.query("BEGIN");
    await blocker.query("SELECT 1 FROM projects WHERE id = $1 FOR UPDATE", [projectId]);
    let settled = false;
    const waiting = transfer(member.id).finally(() => {
      settled = true;
    });
    const waits = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
    await eventually("the transfer waits for the lock", 3_000, async () => {
      return (await api.database.query(waits, [api.database.name])).length === 1;
    });
    assert.equal(settled, false);
    await blocker.query("UPDATE members SET role = 'member' WHERE id = $1", [owner.id]);
    await blocker.query("COMMIT");
    blocker.release();
    assert.equal((await waiting).json().previousOwner, null);
    assert.deepEqual(await owners(), [{ id: member.id }]);
  });
});
