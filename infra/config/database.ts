import type { InstanceSettings } from "../database/arguments.ts";
import { between, type ConfigReader, matching } from "./reader.ts";

/** PostgreSQL's unquoted names; RDS wants a letter first and reserves its own. */
const DATABASE_NAME = matching(
  /^(?!rds)[a-z][a-z0-9_]{0,62}$/,
  "lower-case letters, digits and _, a letter first, at most 63, not rds…",
);
const DATABASE_USER = matching(
  /^(?!rds|pg_|postgres$|admin$)[a-z][a-z0-9_]{0,62}$/,
  "lower-case letters, digits and _, a letter first, at most 63; not rds…, pg_…, postgres or admin",
);

/** Reads what the database is. */
export function readDatabase(read: ConfigReader): InstanceSettings {
  return {
    name: read.text("databaseName", DATABASE_NAME),
    user: read.text("databaseUser", DATABASE_USER),
    instanceClass: read.text(
      "databaseInstanceClass",
      matching(/^db\.[a-z0-9]+(?:-[a-z0-9]+)?\.[a-z0-9]+$/, "an instance class such as db.t4g.medium"),
    ),
    storageGiB: read.integer("databaseStorageGiB", between(20, 65_536)),
    maxConnections: read.integer("maxConnections", between(20, 5_000)),
    multiAz: read.flag("multiAz"),
    deletionProtection: read.flag("deletionProtection"),
    backupRetentionDays: read.integer("backupRetentionDays", between(1, 35)),
  };
}
