import assert from "node:assert/strict";
import { DrizzleQueryError, eq, sql, TransactionRollbackError } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";
import { describe, it } from "mocha";
import pg from "pg";
import type { RdsIamPool } from "../../../../app/postgres/index.ts";
import { poolFixture } from "../pool-fixture.ts";
import { keepsItsConnection } from "./same-connection.ts";

const books = pgTable("books", {
  id: serial("id").primaryKey(),
  title: text("title").notNull().unique(),
  printed: timestamp("printed", { mode: "string" }),
});

/** Whether Drizzle failed with this SQLSTATE underneath. */
function causedBy(code: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof DrizzleQueryError && error.cause instanceof pg.DatabaseError && error.cause.code === code;
}

describe("Drizzle on RdsIamPool", () => {
  const fixture = poolFixture();

  async function open(pool: RdsIamPool) {
    const db = drizzle({ client: pool });
    await db.execute(sql`DROP TABLE IF EXISTS books`);
    await db.execute(
      sql`CREATE TABLE books (id serial PRIMARY KEY, title text NOT NULL UNIQUE, printed timestamp without time zone)`,
    );
    return db;
  }

  it("inserts, selects, updates and deletes over one connection, with its own parsers of types", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const db = await open(pool);
      const printed = "1843-10-01 00:00:00";
      assert.deepEqual(await db.insert(books).values({ title: "Notes", printed }).returning(), [
        { id: 1, title: "Notes", printed },
      ]);
      const found = await db.select({ title: books.title }).from(books).where(eq(books.id, 1));
      assert.deepEqual(found, [{ title: "Notes" }]);
      assert.equal((await db.update(books).set({ title: "Note G" }).where(eq(books.id, 1))).rowCount, 1);
      assert.equal((await db.delete(books).where(eq(books.title, "Note G"))).rowCount, 1);
    });
  });

  it("commits a transaction, and rolls back the one that throws or is told to", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const db = await open(pool);
      await db.transaction(async (tx) => void (await tx.insert(books).values({ title: "kept" })));
      const change = new Error("a change of mind");
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.insert(books).values({ title: "dropped" });
          throw change;
        }),
        (error) => error === change,
      );
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.insert(books).values({ title: "dropped" });
          tx.rollback();
        }),
        TransactionRollbackError,
      );
      assert.deepEqual(await db.select({ title: books.title }).from(books), [{ title: "kept" }]);
    });
  });

  it("takes the pool for one: a transaction holds a connection while others work on another", async () => {
    const pool = fixture.createPool({ max: 2 });
    const db = await open(pool);
    const seen = await db.transaction(async (tx) => {
      await tx.insert(books).values({ title: "unseen" });
      return db.select().from(books);
    });
    assert.deepEqual(seen, []);
    assert.equal((await db.select().from(books)).length, 1);
    assert.equal(fixture.front.accepted, 2);
  });

  it("passes the database's error on, alone and inside a transaction, and goes on with the same connection", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const db = await open(pool);
      await db.insert(books).values({ title: "Notes" });
      await assert.rejects(async () => db.insert(books).values({ title: "Notes" }), causedBy("23505"));
      await assert.rejects(async () => db.execute(sql`SELECT 1/0`), causedBy("22012"));
      await assert.rejects(
        db.transaction(async (tx) => void (await tx.insert(books).values({ title: "Notes" }))),
        causedBy("23505"),
      );
      assert.equal((await db.select().from(books)).length, 1);
    });
  });
});
