import { subscribe } from "node:diagnostics_channel";
import { writeHeapSnapshot } from "node:v8";
import { Signer } from "@aws-sdk/rds-signer";
import pg from "pg";
import { RdsIamPool } from "../../../../app/postgres/index.ts";
import type { PoolProcessSettings } from "./pool-process.ts";

/** Everything that a process does with its one pool; it says on standard output how far it is. */
const settings: PoolProcessSettings = JSON.parse(process.argv[2] ?? "");
const { kind, host, port, user, database, region, ca, credentials, options, scenario } = settings;
const signer = new Signer({ hostname: host, port, username: user, region, credentials });
const target = { host, port, user, database };

// Nobody listens for errors here: that is the point.
const pool: pg.Pool =
  kind === "RdsIamPool"
    ? new RdsIamPool({ ...target, region, ca, signer, ...options })
    : new pg.Pool({ ...target, ssl: { ca }, password: () => signer.getAuthToken(), ...options });

const say = (line: string) => process.stdout.write(`${line}\n`);

if (scenario === "idle") {
  await pool.query("SELECT 1");
  say("idle");
} else if (scenario === "ended") {
  const retried = new Promise((resolve) => subscribe("rds-iam-pool:retry", resolve));
  const [idle] = await Promise.all([pool.connect(), pool.connect()]);
  const waiting = Array.from({ length: 20 }, () => pool.connect().catch(() => {}));
  await retried;
  idle.release();
  await pool.end();
  await Promise.all(waiting);
  say("ended");
} else if (scenario === "killed") {
  const client = await pool.connect();
  const ended = new Promise((resolve) => client.once("end", resolve));
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  say(String(rows[0].pid));
  await ended;
  client.release();
  const again = await pool.query("SELECT 'alive' AS state");
  say(again.rows[0].state);
  await pool.end();
} else {
  const client = await pool.connect();
  await client.query("SELECT 1");
  writeHeapSnapshot(scenario.snapshot);
  say(JSON.stringify(process.env));
  client.release();
  await pool.end();
}
