import type pg from "pg";
import { inTransaction, withConnection } from "./database.ts";
import { type Page, type Position, pageOf } from "./pages.ts";
import type { TransactionClient } from "./postgres/index.ts";
import { conflict, notFound } from "./problems.ts";

export const ROLES = ["owner", "member"] as const;
export type Role = (typeof ROLES)[number];

export interface Member {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
}

/** What a transfer of ownership changed. */
export interface Transfer {
  readonly owner: Member;
  /** Null when the project had no owner. */
  readonly previousOwner: Member | null;
}

const COLUMNS = `id, project_id AS "projectId", name, role, created_at AS "createdAt"`;

/** The queries on the members of projects. A missing member is a `MEMBER_NOT_FOUND` problem, a missing project `PROJECT_NOT_FOUND`. */
export class Members {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** A project has one owner at most: a second is an `OWNER_EXISTS` problem. */
  create(projectId: string, name: string, role: Role, id?: string): Promise<Member> {
    return withConnection(this.#pool, async (client) => {
      // Without an error for what is taken: an error would cost the connection's round trip and log a line on the server.
      const { rows } = await client.query<Member>(
        `INSERT INTO members (id, project_id, name, role)
         SELECT COALESCE($1, gen_random_uuid()), projects.id, $3, $4 FROM projects WHERE projects.id = $2
         ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
        [id ?? null, projectId, name, role],
      );
      if (rows[0]) return rows[0];
      await requireProject(client, projectId);
      const taken = await client.query("SELECT FROM members WHERE id = $1", [id ?? null]);
      throw taken.rowCount === 0
        ? conflict("OWNER_EXISTS", `The project ${projectId} has an owner: transfer the ownership instead`)
        : conflict("MEMBER_EXISTS", `There is already a member ${id}`);
    });
  }

  /** Oldest first. */
  list(projectId: string, limit: number, after?: Position): Promise<Page<Member>> {
    return withConnection(this.#pool, async (client) => {
      const { rows } = await client.query<Member>(
        `SELECT ${COLUMNS} FROM members
         WHERE project_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) > ($2, $3::uuid))
         ORDER BY created_at, id LIMIT $4`,
        [projectId, after?.createdAt ?? null, after?.id ?? null, limit + 1],
      );
      if (rows.length === 0) await requireProject(client, projectId);
      return pageOf(rows, limit);
    });
  }

  read(projectId: string, id: string): Promise<Member> {
    return this.#one(id, `SELECT ${COLUMNS} FROM members WHERE project_id = $1 AND id = $2`, [projectId, id]);
  }

  rename(projectId: string, id: string, name: string): Promise<Member> {
    return this.#one(id, `UPDATE members SET name = $3 WHERE project_id = $1 AND id = $2 RETURNING ${COLUMNS}`, [
      projectId,
      id,
      name,
    ]);
  }

  /** The owner cannot be removed before the ownership is transferred: `MEMBER_IS_OWNER`. */
  async delete(projectId: string, id: string): Promise<void> {
    await withConnection(this.#pool, async (client) => {
      const { rowCount } = await client.query(
        "DELETE FROM members WHERE project_id = $1 AND id = $2 AND role <> 'owner'",
        [projectId, id],
      );
      if (rowCount === 1) return;
      const owner = await client.query("SELECT FROM members WHERE project_id = $1 AND id = $2", [projectId, id]);
      if (owner.rowCount === 0) throw notFound("member", id);
      throw conflict("MEMBER_IS_OWNER", `The member ${id} owns the project: transfer the ownership first`);
    });
  }

  /** Makes the member `to` the owner, and the owner a member, in one transaction. */
  transfer(projectId: string, to: string): Promise<Transfer> {
    return inTransaction(this.#pool, async (client) => {
      // Transfers of one project wait for each other here: two at once would both see the old owner.
      await requireProject(client, projectId, "FOR UPDATE");
      const { rows } = await client.query<Member>(
        `SELECT ${COLUMNS} FROM members WHERE project_id = $1 AND (id = $2 OR role = 'owner') FOR UPDATE`,
        [projectId, to],
      );
      const target = rows.find((member) => member.id === to);
      if (!target) throw notFound("member", to);
      const previousOwner = rows.find((member) => member.role === "owner" && member.id !== to) ?? null;
      if (previousOwner) await client.query("UPDATE members SET role = 'member' WHERE id = $1", [previousOwner.id]);
      await client.query("UPDATE members SET role = 'owner' WHERE id = $1", [to]);
      return {
        owner: { ...target, role: "owner" },
        previousOwner: previousOwner && { ...previousOwner, role: "member" },
      };
    });
  }

  async #one(id: string, text: string, values: readonly unknown[]): Promise<Member> {
    const { rows } = await withConnection(this.#pool, (client) => client.query<Member>(text, [...values]));
    if (!rows[0]) throw notFound("member", id);
    return rows[0];
  }
}

async function requireProject(client: TransactionClient, id: string, lock: "" | "FOR UPDATE" = ""): Promise<void> {
  const { rowCount } = await client.query(`SELECT FROM projects WHERE id = $1 ${lock}`, [id]);
  if (rowCount === 0) throw notFound("project", id);
}
