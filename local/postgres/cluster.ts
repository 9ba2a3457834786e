import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Reaper } from "../reaper.ts";
import { createOwnFolder, spawnIdentity, type UnprivilegedUser, writeOwnFile } from "../unprivileged.ts";
import { PostgresError } from "./error.ts";

/** Environment of PostgreSQL's programs: none of ours, messages in English, UTC as on RDS. */
export const serverEnvironment = { LC_ALL: "C", TZ: "UTC" } as const;

/** What makes a new database cluster. */
export interface ClusterOptions {
  /** Folder of this server: the cluster becomes its subfolder. */
  readonly folder: string;
  readonly native: string;
  readonly user: UnprivilegedUser | undefined;
  readonly superuser: { readonly user: string; readonly password: string };
  /** Who but the superuser must use TLS: everyone, or no one. */
  readonly forceSsl: boolean;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly reaper: Reaper;
}

/** Where the cluster keeps what `postgres` is told of on its command line. */
export interface Cluster {
  readonly data: string;
  readonly keyFile: string;
  readonly certFile: string;
}

const initdbLimitMs = 60_000;

/**
 * Makes a database cluster with `initdb`: UTF-8, C locale, SCRAM passwords. The superuser's password reaches it in a file
 * that only the server's user can read and that is gone when this function returns.
 *
 * @throws PostgresError `INITDB_FAILED`
 */
export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, user, superuser, tls } = options;
  const home = join(folder, "postgres");
  await createOwnFolder(home, user);
  const data = join(home, "data");
  const passwordFile = join(home, "superuser-password");
  await writeOwnFile(passwordFile, `${superuser.password}\n`, user);
  try {
    await initdb(options, data, passwordFile);
  } finally {
    await rm(passwordFile, { force: true });
  }
  // Both exist already and belong to the server's user, who keeps them.
  await writeFile(join(data, "pg_hba.conf"), hostBasedAuthentication(superuser.user, options.forceSsl));
  const keyFile = join(home, "server.key");
  const certFile = join(home, "server.crt");
  if (tls !== undefined) {
    await writeOwnFile(keyFile, tls.key, user);
    await writeOwnFile(certFile, tls.cert, user);
  }
  return { data, keyFile, certFile };
}

async function initdb(options: ClusterOptions, data: string, passwordFile: string): Promise<void> {
  const { native, user, superuser, reaper } = options;
  const flags = ["--no-sync", "--no-instructions", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"];
  const child = spawn(
    join(native, "bin", "initdb"),
    [...flags, `--username=${superuser.user}`, `--pwfile=${passwordFile}`, `--pgdata=${data}`],
    {
      cwd: "/",
      detached: true,
      env: serverEnvironment,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: initdbLimitMs,
      killSignal: "SIGTERM",
      ...spawnIdentity(user),
    },
  );
  reaper.watchProcess(child, { signal: "SIGKILL", group: true });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  try {
    const [code, signal] = await once(child, "close");
    if (code !== 0) throw new Error(`initdb ended with ${signal ?? `status ${code}`}`);
  } catch (cause) {
    throw new PostgresError("INITDB_FAILED", `initdb could not make a cluster in ${data}.\n${complaint}`.trimEnd(), {
      cause,
    });
  }
}

/** `rds.force_ssl` as pg_hba.conf says it. The superuser stands for RDS itself, which reaches the server from inside. */
function hostBasedAuthentication(superuser: string, forceSsl: boolean): string {
  return [
    `host all "${superuser}" 127.0.0.1/32 scram-sha-256`,
    `${forceSsl ? "hostssl" : "host"} all all 127.0.0.1/32 scram-sha-256`,
    "",
  ].join("\n");
}
