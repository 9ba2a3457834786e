import assert from "node:assert/strict";
import { type Generated, Kysely, PostgresDialect, sql } from "kysely";
import { describe, it } from "mocha";
import type { RdsIamPool } from "../../../../app/postgres/index.ts";
import { poolFixture } from "../pool-fixture.ts";
import { keepsItsConnection } from "./same-connection.ts";

interface Schema {
  readonly person: { readonly id: Generated<number>; readonly name: string };
}

describe("Kysely on RdsIamPool", () => {
  const fixture = poolFixture();

  async function open(pool: RdsIamPool): Promise<Kysely<Schema>> {
    const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
    await sql`DROP TABLE IF EXISTS person`.execute(db);
    await db.schema
      .createTable("person")
      .addColumn("id", "serial", (column) => column.primaryKey())
      .addColumn("name", "text", (column) => column.notNull().unique())
      .execute();
    return db;
  }

  it("inserts, selects, updates and deletes over one connection", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const db = await open(pool);
      const born = await db
        .insertInto("person")
        .values([{ name: "Ada" }, { name: "Grace" }])
        .returning("id")
        .execute();
      assert.deepEqual(born, [{ id: 1 }, { id: 2 }]);
      const renamed = await db.updateTable("person").set({ name: "Ada L." }).where("id", "=", 1).executeTakeFirst();
      assert.equal(renamed.numUpdatedRows, 1n);
      assert.deepEqual(await db.selectFrom("person").select("name").orderBy("id").execute(), [
        { name: "Ada L." },
        { name: "Grace" },
      ]);
      const gone = await db.deleteFrom("person").executeTakeFirst();
      assert.equal(gone.numDeletedRows, 2n);
    });
  });

  it("commits a transaction, and rolls back the one that throws", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const db = await open(pool);
      await db.transaction().execute(async (tx) => {
        await tx.insertInto("person").values({ name: "kept" }).execute();
      });
      const change = new Error("a change of mind");
      await assert.rejects(
        db.transaction().execute(async (tx) => {
          await tx.insertInto("person").values({ name: "dropped" }).execute();
          throw change;
        }),
        (error) => error === change,
      );
      assert.deepEqual(await db.selectFrom("person").select("name").execute(), [{ name: "kept" }]);
    });
  });

  it("holds one connection for a transaction, while others work on another", async () => {
    const pool = fixture.createPool({ max: 2 });
    const db = await open(pool);
    const seen = await db.transaction().execute(async (tx) => {
      await tx.insertInto("person").values({ name: "unseen" }).execute();
      return db.selectFrom("person").select("name").execute();
    });
    assert.deepEqual(seen, []);
    assert.deepEqual(await db.selectFrom("person").select("name").execute(), [{ name: "unseen" }]);
    assert.equal(fixture.front.accepted, 2);
  });

  it("passes the database's error on, alone and inside a transaction, and goes on with the same connection", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const db = await open(pool);
      await db.insertInto("person").values({ name: "Ada" }).execute();
      const twice = () => db.insertInto("person").values({ name: "Ada" }).execute();
      await assert.rejects(twice(), { code: "23505", constraint: "person_name_key" });
      await assert.rejects(sql`SELECT 1/0`.execute(db), { code: "22012" });
      await assert.rejects(
        db.transaction().execute((tx) => tx.insertInto("person").values({ name: "Ada" }).execute()),
        { code: "23505" },
      );
      assert.deepEqual(await db.selectFrom("person").select("name").execute(), [{ name: "Ada" }]);
    });
  });

  it("ends the pool when it is destroyed", async () => {
    const pool = fixture.createPool();
    const db = await open(pool);
    await db.destroy();
    assert.equal(pool.ended, true);
    assert.equal(pool.totalCount, 0);
  });
});
