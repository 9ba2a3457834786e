import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import type { Reaper } from "../reaper.ts";
import { createOwnFolder, type UnprivilegedUser, writeOwnFile } from "../unprivileged.ts";
import { PostgresError } from "./error.ts";
import { run } from "./run.ts";
import type { ClusterTemplate } from "./template.ts";

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
  /** Copied when it has a cluster, and given one when it has none. Without it, `initdb` makes each cluster. */
  readonly template: ClusterTemplate | undefined;
  readonly reaper: Reaper;
}

/** Where the cluster keeps what `postgres` is told of on its command line. */
export interface Cluster {
  readonly data: string;
  readonly keyFile: string;
  readonly certFile: string;
}

/**
 * UTF-8, C locale, and nobody let in: who is, and with which password, is said afterwards, so that a cluster that `initdb`
 * has just made holds no secret.
 */
export function initdbFlags(superuser: string): readonly string[] {
  return [
    "--no-sync",
    "--no-instructions",
    "--auth=reject",
    "--encoding=UTF8",
    "--locale=C",
    `--username=${superuser}`,
  ];
}

/**
 * Makes a database cluster, by `initdb` or as a copy of what that made before. The superuser's password reaches it before
 * a server listens, through a pipe.
 *
 * @throws PostgresError `INITDB_FAILED`
 */
export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, user, superuser, tls, template, reaper } = options;
  const home = join(folder, "postgres");
  await createOwnFolder(home, user);
  const data = join(home, "data");
  if (!(await copied(options, data))) {
    await initdb(options, data);
    await template?.keep(data, reaper);
    await setSuperuserPassword(options, data);
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

/** Whether the template gave a cluster on which the server's programs can work; one that does not is thrown away. */
async function copied(options: ClusterOptions, data: string): Promise<boolean> {
  const { template, reaper } = options;
  if (template === undefined || !(await template.copyTo(data, reaper))) return false;
  try {
    await setSuperuserPassword(options, data);
    return true;
  } catch {
    await template.discard();
    await rm(data, { recursive: true, force: true });
    return false;
  }
}

async function initdb({ native, user, superuser, reaper }: ClusterOptions, data: string): Promise<void> {
  try {
    await run(join(native, "bin", "initdb"), [...initdbFlags(superuser.user), `--pgdata=${data}`], { user, reaper });
  } catch (cause) {
    throw new PostgresError("INITDB_FAILED", `initdb could not make a cluster in ${data}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** As the server's single-user mode does it, which asks nobody who they are and is reached by its input alone. */
async function setSuperuserPassword(options: ClusterOptions, data: string): Promise<void> {
  const { native, user, superuser, reaper } = options;
  const statement = `alter role ${pg.escapeIdentifier(superuser.user)} password ${pg.escapeLiteral(superuser.password)}`;
  // A failing statement is not to write the password to the log.
  const settings = ["fsync=off", "log_statement=none", "log_min_error_statement=panic"].flatMap((text) => ["-c", text]);
  try {
    const log = await run(join(native, "bin", "postgres"), ["--single", "-D", data, ...settings, "postgres"], {
      user,
      reaper,
      input: `${statement}\n`,
    });
    // Its status is 0 although a statement failed.
    if (/ (ERROR|FATAL|PANIC): /.test(log)) throw new Error(log);
  } catch (cause) {
    throw new PostgresError("INITDB_FAILED", `The superuser of ${data} got no password: ${messageOf(cause)}`, {
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
