// Started by a test as a process of its own, which it then kills: a reaper, a PostgreSQL and another process, reported as
// one line of JSON. A line on standard input ends everything in good order.
import { spawn } from "node:child_process";
import { once } from "node:events";
import pg from "pg";
import { startPostgres } from "../../local/postgres.ts";
import { startReaper } from "../../local/reaper.ts";

const log = (message: string): void => {
  process.stderr.write(`${message}\n`);
};
const reaper = startReaper({ log });
const postgres = await startPostgres({
  majorVersion: 17,
  maxConnections: 20,
  forceSsl: false,
  master: { user: "app", password: "first" },
  database: "app",
  reaper,
  log,
});
const other = spawn("/bin/sh", ["-c", "sleep 600 & wait"], { detached: true, stdio: "ignore" });
reaper.watchProcess(other, { group: true });
const client = new pg.Client({ connectionString: postgres.directUrl });
await client.connect();
const { rows } = await client.query<{ data_directory: string }>("show data_directory");
await client.end();
const report = {
  reaper: reaper.pid,
  postgres: postgres.pid,
  other: other.pid,
  port: postgres.port,
  data: rows[0]?.data_directory,
};
process.stdout.write(`${JSON.stringify(report)}\n`);

await once(process.stdin, "data");
process.stdin.destroy();
const ended = once(other, "exit");
process.kill(-(other.pid ?? 0), "SIGTERM");
await Promise.all([ended, postgres.stop()]);
await reaper.close();
