import assert from "node:assert/strict";
import { type ChildProcess, execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import pg from "pg";
import { createAuthority } from "../../local/certificates.ts";
import { findBinaries, installed } from "../../local/postgres/binaries.ts";
import { type Postgres, type PostgresOptions, startPostgres } from "../../local/postgres.ts";
import { type Reaper, startReaper } from "../../local/reaper.ts";
import { createManagedSecret, type ManagedSecret } from "../../local/secret.ts";
import { isRoot } from "../../local/unprivileged.ts";
import { isClosed } from "./eventually.ts";

const serverName = "database.example";

describe("PostgreSQL as the program declares it", function () {
  this.timeout(30_000);
  let reaper: Reaper;
  let postgres: Postgres;
  let secret: ManagedSecret;
  let caPem: string;
  let folder: string;
  const messages: string[] = [];
  /** Ends the window of a rotation. */
  let endWindow: (() => void) | undefined;

  before(async () => {
    const authority = await createAuthority();
    caPem = authority.caPem;
    secret = createManagedSecret({
      arn: "arn:aws:secretsmanager:eu-west-2:111122223333:secret:rds!db-0a1b2c3d-AbCdEf",
      username: "app-user",
      delay: () =>
        new Promise<void>((resolve) => {
          endWindow = resolve;
        }),
    });
    reaper = startReaper({ log: (message) => messages.push(message) });
    const { username: user, password } = secret.currentLogin();
    postgres = await startPostgres({
      majorVersion: 17,
      maxConnections: 37,
      forceSsl: true,
      master: { user, password },
      database: "my-app",
      tls: await authority.issue([serverName]),
      reaper,
      log: (message) => messages.push(message),
    });
    secret.activate(postgres.setPassword);
    const [row] = await asSuperuser<{ data_directory: string }>("show data_directory");
    folder = dirname(dirname(row?.data_directory ?? ""));
  });
  after(async () => {
    await postgres?.stop();
    await reaper?.close();
  });

  async function asSuperuser<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: postgres.directUrl });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  function masterClient(changes: pg.ClientConfig = {}): pg.Client {
    const { username: user, password } = secret.currentLogin();
    const ssl = { ca: caPem, checkServerIdentity: () => undefined };
    return new pg.Client({
      host: "127.0.0.1",
      port: postgres.port,
      user,
      password,
      database: "my-app",
      ssl,
      ...changes,
    });
  }

  async function logIn(changes: pg.ClientConfig = {}): Promise<void> {
    const client = masterClient(changes);
    await client.connect();
    await client.end();
  }

  async function asMaster<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    const client = masterClient();
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  it("has the declared version and max_connections, and says nothing where all is as declared", async () => {
    assert.match(postgres.version, /^17\.\d+$/);
    assert.equal(postgres.maxConnections, 37);
    assert.deepEqual(await asSuperuser("show max_connections"), [{ max_connections: "37" }]);
    assert.deepEqual(messages, []);
  });

  it("makes the master user as RDS does: creates roles and databases, is in rds_superuser, and is no superuser", async () => {
    const roles = await asSuperuser(
      "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls from pg_roles where rolname !~ '^pg_' order by rolname",
    );
    const role = (rolname: string, rights: Record<string, boolean>) => ({
      rolname,
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolcanlogin: false,
      rolreplication: false,
      rolbypassrls: false,
      ...rights,
    });
    assert.deepEqual(roles, [
      role("app-user", { rolcreaterole: true, rolcreatedb: true, rolcanlogin: true }),
      role("rds_iam", {}),
      role("rds_password", {}),
      role("rds_replication", {}),
      role("rds_superuser", {}),
      role("rdsadmin", {
        rolsuper: true,
        rolcreaterole: true,
        rolcreatedb: true,
        rolcanlogin: true,
        rolreplication: true,
        rolbypassrls: true,
      }),
    ]);
    assert.deepEqual(
      await asMaster(
        "select pg_has_role('rds_superuser', 'usage') rds_superuser, pg_has_role('pg_signal_backend', 'usage') signal, pg_has_role('rds_iam', 'usage') rds_iam",
      ),
      [{ rds_superuser: true, signal: true, rds_iam: false }],
    );
  });

  it("gives the declared database and postgres to the master user", async () => {
    assert.deepEqual(
      await asSuperuser("select datname, pg_get_userbyid(datdba) owner from pg_database order by datname"),
      [
        { datname: "my-app", owner: "app-user" },
        { datname: "postgres", owner: "app-user" },
        { datname: "template0", owner: "rdsadmin" },
        { datname: "template1", owner: "app-user" },
      ],
    );
    assert.deepEqual(
      await asSuperuser(
        "select pg_encoding_to_char(encoding) encoding, datcollate from pg_database where datname = 'my-app'",
      ),
      [{ encoding: "UTF8", datcollate: "C" }],
    );
  });

  it("lets a migration do what it may on RDS", async () => {
    await asMaster(`
      create table project (id bigint generated always as identity primary key, name text);
      create extension pg_trgm;
      create role reader login password 'reader';
      grant select on project to reader;
      grant rds_iam to reader;
      alter role "app-user" set statement_timeout = '5s'`);
  });

  for (const [what, text] of [
    ["run a program", "copy (select 1) to program 'true'"],
    ["change the server's settings", "alter system set work_mem = '1GB'"],
    ["make a superuser", "create role root superuser"],
    ["read a file of the server", "select pg_read_file('/etc/passwd')"],
    ["make an untrusted function", "create function f() returns int language internal as 'int4in'"],
    ["change the superuser's password", "alter role rdsadmin password 'x'"],
  ] as const) {
    it(`does not let the master user ${what}, as RDS does not`, async () => {
      await assert.rejects(asMaster(text), { code: "42501" });
    });
  }

  it("is reached by TLS with its certificate, and by no one but the superuser without", async () => {
    await logIn({
      ssl: {
        ca: caPem,
        checkServerIdentity: (_host, { subjectaltname }) => {
          assert.equal(subjectaltname, `DNS:${serverName}`);
          return undefined;
        },
      },
    });
    await assert.rejects(logIn({ ssl: false }), { code: "28000", message: /no encryption/ });
    await assert.rejects(
      logIn({ ssl: { checkServerIdentity: () => undefined } }),
      /self-signed|unable to (verify|get)/,
    );
    assert.deepEqual(await asSuperuser("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), [{ ssl: false }]);
  });

  it("listens on the loopback address alone, without a socket in the file system", async () => {
    assert.deepEqual(
      await asSuperuser("select current_setting('listen_addresses') a, current_setting('unix_socket_directories') u"),
      [{ a: "127.0.0.1", u: "" }],
    );
  });

  it("runs without privileges, below a folder that lists nothing to others", async () => {
    const { stdout } = await promisify(execFile)("ps", ["-o", "uid=", "-p", String(postgres.pid)]);
    const uid = Number(stdout) >>> 0;
    if (isRoot()) assert.notEqual(uid, 0);
    else assert.equal(uid, process.geteuid?.());
    assert.equal((await stat(folder)).mode & 0o777, isRoot() ? 0o711 : 0o700);
    const home = join(folder, "postgres");
    assert.deepEqual((await readdir(home)).toSorted(), ["data", "server.crt", "server.key"]);
    for (const [name, mode] of [
      ["", 0o700],
      ["data", 0o700],
      ["server.key", 0o600],
    ] as const) {
      const status = await stat(join(home, name));
      assert.equal(status.mode & 0o777, mode);
      assert.equal(status.uid, uid);
    }
  });

  it("survives a rotation with connections that stand, while new ones fail until the version is promoted", async () => {
    const standing = masterClient();
    await standing.connect();
    const rotating = secret.rotate();
    while (endWindow === undefined) await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(logIn(), { code: "28P01" });
    assert.deepEqual((await standing.query("select 1 as one")).rows, [{ one: 1 }]);
    endWindow();
    await rotating;
    await logIn();
    assert.deepEqual((await standing.query("select 2 as two")).rows, [{ two: 2 }]);
    await standing.end();
    const previous = JSON.parse(secret.version("AWSPREVIOUS")?.secretString ?? "");
    await assert.rejects(logIn({ password: previous.password }), { code: "28P01" });
  });

  it("takes any password, and says which user it does not know", async () => {
    const password = '\';\\ drop "x" $$ é%';
    await postgres.setPassword("reader", password);
    await logIn({ user: "reader", password });
    await assert.rejects(postgres.setPassword("no one", "secret-of-no-one"), (error: Error & { code?: string }) => {
      assert.equal(error.code, "SET_PASSWORD_FAILED");
      assert.match(error.message, /"no one"/);
      assert.ok(!`${error.message} ${error.cause}`.includes("secret-of-no-one"));
      return true;
    });
  });

  it("stops within its limit although a client is in a transaction, leaves no file, and never wrote a password", async () => {
    const client = masterClient();
    const lost = new Promise((resolve) => client.on("error", resolve));
    await client.connect();
    await client.query("begin; select 1");
    await Promise.all([postgres.stop(), postgres.stop(), lost]);
    const { expected, code, lastLines } = await postgres.exited;
    assert.equal(expected, true);
    assert.equal(code, 0);
    assert.match(lastLines.at(-1) ?? "", /database system is shut down/);
    assert.equal(existsSync(folder), false);
    assert.equal(await isClosed(postgres.port), true);
    const log = lastLines.join("\n");
    // Failed statements with passwords in them were among those above.
    assert.match(log, /role "no one" does not exist/);
    for (const password of ["secret-of-no-one", secret.currentLogin().password, postgres.superuser.password]) {
      assert.ok(!log.includes(password));
    }
  });
});

describe("PostgreSQL on a machine that is less than ideal", function () {
  this.timeout(30_000);
  let reaper: Reaper;
  let closed: string;
  const messages: string[] = [];

  before(async () => {
    // mkdtemp makes it 0700: under root, only root may enter it.
    closed = await mkdtemp(join(tmpdir(), "test postgres-"));
    reaper = startReaper({ log: (message) => messages.push(message) });
  });
  after(async () => {
    await reaper.close();
    await rm(closed, { recursive: true, force: true });
  });

  function options(changes: Partial<PostgresOptions> = {}): PostgresOptions {
    return {
      majorVersion: 17,
      maxConnections: 20,
      forceSsl: false,
      master: { user: "app", password: "first" },
      database: "app",
      reaper,
      log: (message) => messages.push(message),
      ...changes,
    };
  }

  it("starts from a folder that only root may enter, on a second port, with the connections that the machine allows", async () => {
    const native = join(closed, "native");
    await cp(installed(), native, { recursive: true, verbatimSymlinks: true });
    // The real server behind a shell that refuses as PostgreSQL does: its first port, then more than 150 connections.
    const program = join(native, "bin", "postgres");
    await rename(program, `${program}.real`);
    await writeFile(
      program,
      `#!/bin/sh
case "$*" in *listen_addresses*)
  if [ ! -e "$2/refused" ]; then
    : >"$2/refused"
    echo 'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use' >&2
    exit 1
  fi
  for argument; do case $argument in max_connections=*)
    if [ "\${argument#*=}" -gt 150 ]; then
      echo 'FATAL:  could not create semaphores: No space left on device' >&2
      exit 1
    fi
  esac; done
esac
exec "$0.real" "$@"
`,
    );
    await chmod(program, 0o755);
    const postgres = await startPostgres(options({ native, maxConnections: 400 }));
    try {
      assert.equal(postgres.maxConnections, 100);
      const client = new pg.Client({ connectionString: postgres.directUrl });
      client.on("error", () => {});
      await client.connect();
      const { rows } = await client.query<{ n: string; folder: string }>(
        "select current_setting('max_connections') n, current_setting('data_directory') folder",
      );
      assert.equal(rows[0]?.n, "100");
      assert.deepEqual(messages, [
        "PostgreSQL does not start with max_connections = 400 on this machine: trying 200.",
        "PostgreSQL does not start with max_connections = 200 on this machine: trying 100.",
        "PostgreSQL runs with max_connections = 100 instead of the declared 400.",
      ]);

      process.kill(postgres.pid, "SIGKILL");
      const exit = await postgres.exited;
      assert.equal(exit.expected, false);
      assert.equal(exit.signal, "SIGKILL");
      await postgres.stop();
      assert.equal(existsSync(dirname(dirname(rows[0]?.folder ?? "/"))), false);
      await client.end();
    } finally {
      await postgres.stop();
    }
  });

  it("leaves nothing behind when its database cannot be made, and says which", async () => {
    const folders: string[] = [];
    const processes: ChildProcess[] = [];
    const witness: Reaper = {
      ...reaper,
      watchDirectory: (path) => folders.push(path),
      watchProcess: (child) => processes.push(child),
      forgetDirectory: () => {},
    };
    await assert.rejects(startPostgres(options({ database: "template0", reaper: witness })), {
      code: "SETUP_FAILED",
      message: /"template0".*already exists/,
    });
    assert.deepEqual(folders.map(existsSync), [false]);
    // What makes the cluster, what gives the superuser its password, and the server.
    assert.ok(processes.length >= 3, `${processes.length} processes`);
    assert.deepEqual(new Set(processes.map(({ exitCode }) => exitCode)), new Set([0]));
  });

  it("refuses binaries of another major version and names both", async () => {
    await assert.rejects(startPostgres(options({ majorVersion: 18 })), {
      code: "VERSION_MISMATCH",
      message: /declares PostgreSQL 18.*binaries are PostgreSQL 17\.\d+/,
    });
  });

  it("says how to install what npm left out", () => {
    const other = process.platform === "darwin" ? "linux-arm64" : "darwin-arm64";
    assert.throws(() => installed(other), { code: "BINARIES_MISSING", message: /--omit=optional/ });
    assert.throws(() => installed("win32-x64"), { code: "UNSUPPORTED_PLATFORM", message: /win32-x64.*linux-x64/ });
  });

  it("says what to do about binaries that do not run", async () => {
    await assert.rejects(findBinaries(17, join(closed, "missing")), {
      code: "BINARIES_BROKEN",
      message: /npm rebuild/,
    });
  });

  it("refuses options that cannot work, all of them at once", async () => {
    const wrong = options({
      maxConnections: 5,
      forceSsl: true,
      master: { user: "rdsadmin", password: "" },
      database: "",
    });
    await assert.rejects(startPostgres(wrong), (error: Error & { code?: string }) => {
      assert.equal(error.code, "INVALID_OPTION");
      for (const part of ["maxConnections is 5", "forceSsl", '"rdsadmin"', "password is empty", "database is empty"]) {
        assert.ok(error.message.includes(part), `${part} in ${error.message}`);
      }
      return true;
    });
  });
});
