// Started by a test as a process of its own: a program that uses the pool and knows nothing of the local environment.
import { spawnSync } from "node:child_process";
import { RdsIamPool } from "../../app/postgres/index.ts";

const [script = "", how] = process.argv.slice(1);
if (how === "by another") {
  // As npm start, nodemon and test runners do.
  const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
  process.exit(status ?? 1);
}
const { DB_HOST = "", DB_PORT, POSTGRES_DB = "", POSTGRES_USER = "", AWS_REGION = "" } = process.env;
const pool = new RdsIamPool({
  host: DB_HOST,
  port: Number(DB_PORT),
  user: POSTGRES_USER,
  database: POSTGRES_DB,
  region: AWS_REGION,
  connectionTimeoutMillis: 10_000,
});
try {
  const { rows } = await pool.query("select current_user as user, current_database() as database");
  process.stdout.write(JSON.stringify({ port: Number(DB_PORT), rows, stackTraceLimit: Error.stackTraceLimit }));
} finally {
  await pool.end();
}
