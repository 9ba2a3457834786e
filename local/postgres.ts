import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { findBinaries } from "./postgres/binaries.ts";
import { createCluster, initdbFlags } from "./postgres/cluster.ts";
import { PostgresError } from "./postgres/error.ts";
import { type RestartOptions, startRestartableServer } from "./postgres/restart.ts";
import { createMasterUser, rdsadmin, setPassword } from "./postgres/roles.ts";
import type { ServerExit } from "./postgres/server.ts";
import { clusterTemplate } from "./postgres/template.ts";
import type { Reaper } from "./reaper.ts";
import { createWorkspace, makeAvailableTo, unprivilegedUser, workspacePath } from "./unprivileged.ts";

export { PostgresError } from "./postgres/error.ts";
export type { RestartOptions } from "./postgres/restart.ts";
export type { ServerExit } from "./postgres/server.ts";

/** The database instance to start, as the program declares it. */
export interface PostgresOptions {
  /** Such as 17: the installed binaries must be of it. */
  readonly majorVersion: number;
  /** `max_connections`, where the machine allows it; {@link Postgres.maxConnections} is what came of it. */
  readonly maxConnections: number;
  /** `rds.force_ssl`: whether everyone but the superuser must use TLS. Needs `tls`. */
  readonly forceSsl: boolean;
  /** The managed master user, and the password that it has at first. */
  readonly master: { readonly user: string; readonly password: string };
  /** Database that is made with the instance and belongs to the master user. */
  readonly database: string;
  /** The server's certificate and private key, PEM. Without it the server offers no TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Told of every process and folder before it could be left behind. */
  readonly reaper: Reaper;
  /** Told what differs from what was declared, and why. Never a password. */
  readonly log: (message: string) => void;
  /** Folder with `bin`, `lib` and `share` of PostgreSQL; by default that of the package installed for this machine. */
  readonly native?: string;
}

/** A running PostgreSQL, reachable at 127.0.0.1 only. */
export interface Postgres {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Process id of the postmaster: another after each restart. While the server is down, that of the last one. */
  readonly pid: number;
  /** Such as `17.10`. */
  readonly version: string;
  /** `max_connections` in force. */
  readonly maxConnections: number;
  /** The separate superuser, named as on RDS; its password is made anew for each server. */
  readonly superuser: { readonly user: string; readonly password: string };
  /** The declared database as the superuser: `postgres://rdsadmin:…@127.0.0.1:…/…`. */
  readonly directUrl: string;
  /** Resolves, and never rejects, when the server has ended, which a restart is not; `expected` says whether by `stop()`. */
  readonly exited: Promise<ServerExit>;
  /**
   * Changes a user's password as the superuser; connections that stand go on.
   *
   * @throws PostgresError `SET_PASSWORD_FAILED`
   */
  setPassword(user: string, password: string): Promise<void>;
  /**
   * Stops the server, whose clients get 57P01 (`admin_shutdown`), and starts it again on the same port with the same data
   * and settings. Restarts come one after the other; `stop()` ends one that is under way.
   *
   * @throws PostgresError `INVALID_OPTION`; `RESTART_FAILED` when the server has ended or is stopped meanwhile, or does
   * not start again, after which `exited` resolves
   */
  restart(options?: RestartOptions): Promise<void>;
  /** Ends the server, by force after some seconds, and removes its files. Safe to call again, and after a crash. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL with a fresh, empty cluster below the folder for temporary files. As root it runs as an
 * unprivileged user that the system has (PostgreSQL refuses root), from a copy of its programs where that user cannot reach
 * the installed ones. No user is added to the system.
 *
 * @throws PostgresError with the reason; nothing is left behind then
 * @throws UnprivilegedError when root finds no user or folder to run it with
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  validate(options);
  const { reaper, log, master, database, tls } = options;
  const { native: installed, version } = await findBinaries(options.majorVersion, options.native);
  const user = await unprivilegedUser();
  const folder = await workspacePath(user);
  reaper.watchDirectory(folder);
  const removeFolder = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    reaper.forgetDirectory(folder);
  };

  try {
    await createWorkspace(folder, user);
    const native = user === undefined ? installed : await makeAvailableTo(installed, user, folder);
    const superuser = { user: rdsadmin, password: randomBytes(24).toString("base64url") };
    // Programs from another place are not known to last.
    const template =
      options.native === undefined ? await clusterTemplate(installed, initdbFlags(rdsadmin), user?.uid) : undefined;
    const { forceSsl } = options;
    const cluster = await createCluster({ folder, native, user, superuser, forceSsl, tls, template, reaper });
    const { maxConnections } = options;
    const server = await startRestartableServer({
      native,
      cluster,
      user,
      maxConnections,
      tls: tls !== undefined,
      reaper,
      log,
    });
    const access = { port: server.port, ...superuser };
    try {
      await createMasterUser(access, master, database);
    } catch (error) {
      await server.stop();
      throw error;
    }
    if (server.maxConnections !== maxConnections) {
      log(`PostgreSQL runs with max_connections = ${server.maxConnections} instead of the declared ${maxConnections}.`);
    }
    let stopped: Promise<void> | undefined;
    return {
      host: "127.0.0.1",
      port: server.port,
      get pid() {
        return server.pid;
      },
      version,
      maxConnections: server.maxConnections,
      superuser,
      directUrl: `postgres://${superuser.user}:${superuser.password}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`,
      exited: server.exited,
      restart: server.restart,
      setPassword: (name, password) => setPassword(access, name, password),
      stop() {
        stopped ??= server.stop().finally(removeFolder);
        return stopped;
      },
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

function validate({ majorVersion, maxConnections, forceSsl, tls, master, database }: PostgresOptions): void {
  const problems = [
    Number.isInteger(majorVersion) || `majorVersion is ${majorVersion}: a whole number such as 17 is needed`,
    // PostgreSQL's own bounds, from its documentation of max_connections; 6 leaves three beside the superuser's three.
    (Number.isInteger(maxConnections) && maxConnections >= 6 && maxConnections <= 262_143) ||
      `maxConnections is ${maxConnections}: a whole number from 6 to 262143 is needed`,
    !forceSsl || tls !== undefined || "forceSsl is true without tls: nobody could log in",
    !/^(|rdsadmin|rds_.*|pg_.*)$/i.test(master.user) ||
      `master.user is ${JSON.stringify(master.user)}: neither an empty name, rdsadmin, nor a name that begins with rds_ or pg_ is free`,
    master.password !== "" || "master.password is empty",
    database !== "" || "database is empty",
  ].filter((problem) => typeof problem === "string");
  if (problems.length > 0) throw new PostgresError("INVALID_OPTION", `${problems.join("; ")}.`);
}
