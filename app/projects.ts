import type pg from "pg";
import { withConnection } from "./database.ts";
import { type Page, type Position, pageOf } from "./pages.ts";
import { conflict, notFound } from "./problems.ts";

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}

const COLUMNS = `id, name, created_at AS "createdAt"`;

/** The queries on projects. A missing project is a `PROJECT_NOT_FOUND` problem. */
export class Projects {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** With an id of the caller's own, each write can be told apart; one that exists is a `PROJECT_EXISTS` problem. */
  async create(name: string, id?: string): Promise<Project> {
    const [project] = await this.#rows(
      `INSERT INTO projects (id, name) VALUES (COALESCE($1, gen_random_uuid()), $2) ON CONFLICT (id) DO NOTHING RETURNING ${COLUMNS}`,
      [id ?? null, name],
    );
    if (!project) throw conflict("PROJECT_EXISTS", `There is already a project ${id}`);
    return project;
  }

  /** Oldest first. */
  async list(limit: number, after?: Position): Promise<Page<Project>> {
    const rows = await this.#rows(
      `SELECT ${COLUMNS} FROM projects
       WHERE $1::timestamptz IS NULL OR (created_at, id) > ($1, $2::uuid)
       ORDER BY created_at, id LIMIT $3`,
      [after?.createdAt ?? null, after?.id ?? null, limit + 1],
    );
    return pageOf(rows, limit);
  }

  async read(id: string): Promise<Project> {
    return this.#one(id, `SELECT ${COLUMNS} FROM projects WHERE id = $1`, [id]);
  }

  async rename(id: string, name: string): Promise<Project> {
    return this.#one(id, `UPDATE projects SET name = $2 WHERE id = $1 RETURNING ${COLUMNS}`, [id, name]);
  }

  /** Its members go with it. */
  async delete(id: string): Promise<void> {
    await this.#one(id, `DELETE FROM projects WHERE id = $1 RETURNING ${COLUMNS}`, [id]);
  }

  async #one(id: string, text: string, values: readonly unknown[]): Promise<Project> {
    const [project] = await this.#rows(text, values);
    if (!project) throw notFound("project", id);
    return project;
  }

  async #rows(text: string, values: readonly unknown[]): Promise<Project[]> {
    const { rows } = await withConnection(this.#pool, (client) => client.query<Project>(text, [...values]));
    return rows;
  }
}
