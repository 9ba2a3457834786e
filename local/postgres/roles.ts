import pg from "pg";
import { PostgresError } from "./error.ts";

/** How the superuser reaches the server. */
export interface SuperuserAccess {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** The superuser that RDS keeps to itself ("Understanding PostgreSQL roles and permissions", Amazon RDS User Guide). */
export const rdsadmin = "rdsadmin";

/**
 * What `rds_superuser` may do and hand on: "Understanding the rds_superuser role", Amazon RDS User Guide; the `pg_` roles
 * that came later as the release notes of RDS for PostgreSQL 15, 16 and 17 name them.
 */
const rdsSuperuserRoles = [
  "pg_monitor",
  "pg_signal_backend",
  "pg_checkpoint",
  "pg_read_all_settings",
  "pg_read_all_stats",
  "pg_stat_scan_tables",
  "pg_read_all_data",
  "pg_write_all_data",
  "pg_create_subscription",
  "pg_use_reserved_connections",
  "pg_maintain",
  "rds_password",
  "rds_replication",
] as const;

/**
 * Makes the master user, and the database that belongs to it, as RDS makes them: the master user logs in, may create
 * databases and roles, is a member of `rds_superuser`, and is no superuser. Roles that this version of PostgreSQL does
 * not have are left out.
 *
 * @throws PostgresError `SETUP_FAILED`
 */
export async function createMasterUser(
  access: SuperuserAccess,
  master: { readonly user: string; readonly password: string },
  database: string,
): Promise<void> {
  const user = pg.escapeIdentifier(master.user);
  try {
    await asSuperuser(access, async (client) => {
      await client.query(`
        create role rds_superuser nologin;
        create role rds_password nologin;
        create role rds_replication nologin;
        create role rds_iam nologin;
        create role ${user} login createdb createrole password ${pg.escapeLiteral(master.password)}`);
      const known = await client.query<{ rolname: string }>("select rolname from pg_roles where rolname = any($1)", [
        rdsSuperuserRoles,
      ]);
      const roles = known.rows.map(({ rolname }) => pg.escapeIdentifier(rolname)).join(", ");
      // rds_iam can be handed on but not held: a member would be asked for an IAM token instead of its password.
      await client.query(`
        grant ${roles} to rds_superuser with admin option;
        grant rds_iam to rds_superuser with admin true, inherit false, set false;
        grant rds_superuser to ${user} with admin option;
        alter database postgres owner to ${user};
        alter database template1 owner to ${user}`);
      if (database !== "postgres") await client.query(`create database ${pg.escapeIdentifier(database)} owner ${user}`);
    });
  } catch (cause) {
    throw new PostgresError(
      "SETUP_FAILED",
      `The master user ${JSON.stringify(master.user)} or its database ${JSON.stringify(database)} could not be made: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

/**
 * Changes a user's password as the superuser, as RDS does when it rotates. Connections that stand are not affected.
 *
 * @throws PostgresError `SET_PASSWORD_FAILED`
 */
export async function setPassword(access: SuperuserAccess, user: string, password: string): Promise<void> {
  try {
    await asSuperuser(access, (client) =>
      client.query(`alter role ${pg.escapeIdentifier(user)} password ${pg.escapeLiteral(password)}`),
    );
  } catch (cause) {
    throw new PostgresError(
      "SET_PASSWORD_FAILED",
      `The password of ${JSON.stringify(user)} could not be changed: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

async function asSuperuser<T>(access: SuperuserAccess, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port: access.port,
    user: access.user,
    password: access.password,
    database: "postgres",
    ssl: false,
    application_name: "rdsadmin",
    connectionTimeoutMillis: 5_000,
    query_timeout: 20_000,
  });
  // A connection that the server ends emits errors of its own, next to the failed query.
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
