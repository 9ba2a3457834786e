import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import pg from "pg";
import { type Description, describeEnvironment } from "../../local/description.ts";
import type { Environment } from "../../local/environment.ts";
import { commandEnvironment } from "./command-environment.ts";
import { evaluated, observe } from "./environment-fixture.ts";
import { openFolder } from "./open-folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = fileURLToPath(new URL("node-env-program.ts", import.meta.url));

/** Within which a process ends, in milliseconds. */
const RUN_MS = 15_000;

/** What a developer's own shell may have, each of which the AWS SDK would prefer. */
const FOREIGN = {
  AWS_ACCESS_KEY_ID: "AKIAFOREIGNFOREIGNXX",
  AWS_SECRET_ACCESS_KEY: "foreign",
  AWS_SESSION_TOKEN: "foreign",
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/foreign",
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/no/such/file",
  AWS_REGION: "us-east-1",
};

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, args: readonly string[], additions: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...commandEnvironment(), ...additions },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_MS,
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status, stdout, stderr };
}

const command = (name: string, ...args: readonly string[]) => run(process.execPath, [`local/${name}.ts`, ...args]);

describe("The environment of a running local environment's clients", function () {
  this.timeout(40_000);
  let environment: Environment;
  let folder: string;
  let description: Description;
  let file: string;

  const described = async (name: string, changed: unknown): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, typeof changed === "string" ? changed : `${JSON.stringify(changed)}\n`);
    return path;
  };

  before(async () => {
    folder = await openFolder();
    ({ environment } = await observe(await evaluated(), { withService: false }));
    description = describeEnvironment(environment, "http://127.0.0.1:1");
    // A name that a shell would take apart if it were not quoted.
    const caFile = join(folder, "it's $HOME's", "ca.pem");
    await mkdir(join(folder, "it's $HOME's"));
    await copyFile(description.proxy.caFile, caFile);
    file = await described("local.json", { ...description, proxy: { ...description.proxy, caFile } });
  });
  after(async () => {
    await environment?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const accepted = () => environment.proxy.metrics().ClientConnectionsSetupSucceeded;

  describe("npm run node-env", () => {
    const row = () => ({ user: description.database.user, database: description.database.name });

    it("lets a program that reads its usual variables see a row through the proxy, whatever else is in the shell", async () => {
      const before = accepted();
      const { status, stdout, stderr } = await run(
        "sh",
        ["-c", '(eval "$(npm run --silent node-env -- "$1")" && "$0" "$2")', process.execPath, file, PROGRAM],
        { ...FOREIGN, NODE_OPTIONS: "--stack-trace-limit=7" },
      );
      assert.equal(status, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), { port: 5432, rows: [row()], stackTraceLimit: 7 });
      assert.equal(accepted() - before, 1);
    });

    it("lets one that another Node process starts", async () => {
      const line = 'eval "$("$0" local/node-env.ts "$1")" && "$0" "$2" "by another"';
      const { status, stdout, stderr } = await run("sh", ["-c", line, process.execPath, file, PROGRAM]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(JSON.parse(stdout).rows, [row()]);
    });

    it("prints these variables and no other, and none that pretends the program runs on ECS", async () => {
      const { status, stdout, stderr } = await command("node-env", file);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
      const names = (verb: string) => [...stdout.matchAll(new RegExp(`^${verb} (\\w+)`, "gm"))].map(([, name]) => name);
      assert.deepEqual(names("unset").sort(), [
        "AWS_ACCESS_KEY_ID",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_PROFILE",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
      ]);
      assert.deepEqual(names("export").sort(), [
        "AWS_CONFIG_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_REGION",
        "AWS_SHARED_CREDENTIALS_FILE",
        "DB_HOST",
        "DB_PORT",
        "LOCAL_CONTAINER_NETWORK",
        "NODE_EXTRA_CA_CERTS",
        "NODE_OPTIONS",
        "POSTGRES_DB",
        "POSTGRES_USER",
      ]);
      assert.equal(stdout.trimEnd().split("\n").length, 20);
    });
  });

  describe("npm run libpq", () => {
    it("gives what signs in to the proxy by verified TLS", async () => {
      const show = "process.stdout.write(JSON.stringify(process.env))";
      const line = 'eval "$("$0" local/libpq.ts "$1")" && "$0" -e "$2"';
      const { status, stdout, stderr } = await run("sh", ["-c", line, process.execPath, file, show], FOREIGN);
      assert.equal(status, 0, stderr);
      const given = JSON.parse(stdout) as Record<string, string>;
      assert.equal(given.PGSSLMODE, "verify-full");
      assert.match(given.PGSSLROOTCERT ?? "", /\/it's \$HOME's\/ca\.pem$/);
      const client = new pg.Client({
        host: given.PGHOSTADDR,
        port: Number(given.PGPORT),
        user: given.PGUSER,
        database: given.PGDATABASE,
        password: given.PGPASSWORD,
        ssl: { ca: await readFile(given.PGSSLROOTCERT ?? "", "utf8"), servername: given.PGHOST },
        connectionTimeoutMillis: 10_000,
      });
      await client.connect();
      try {
        const { rows } = await client.query("select current_user as user");
        assert.deepEqual(rows, [{ user: description.database.user }]);
      } finally {
        await client.end();
      }
    });
  });

  describe("when it cannot be had", () => {
    /** A wrong call, and what is told of it. */
    interface Mistake {
      readonly what: string;
      readonly args: () => Promise<readonly string[]>;
      readonly status: number;
      readonly said: RegExp;
      readonly names?: readonly string[];
    }

    const mistakes: readonly Mistake[] = [
      {
        what: "FILE is not there",
        args: async () => [join(folder, "missing.json")],
        status: 2,
        said: /^error: FILE cannot be read: ENOENT: .*missing\.json'\n\nUsage: /,
        names: ["node-env", "libpq"],
      },
      {
        what: "FILE is still empty",
        args: async () => [await described("empty.json", "")],
        status: 2,
        said: /^error: \S+empty\.json does not hold the line that ".*" prints once it is up\n\nUsage: /,
      },
      {
        what: "FILE holds another JSON",
        args: async () => [await described("other.json", { ...description, proxy: {} })],
        status: 2,
        said: /^error: \S+other\.json does not hold the line/,
      },
      { what: "no FILE is given", args: async () => [], status: 2, said: /^error: one FILE is needed\n\nUsage: / },
      {
        what: "an option is unknown",
        args: async () => [file, "--jsn"],
        status: 2,
        said: /^error: Unknown option '--jsn'[\s\S]*\n\nUsage: /,
      },
      {
        what: "the environment does not run any more",
        args: async () => {
          // Nothing can listen on port 0.
          const credentials = { ...description.credentials, fullUri: "http://127.0.0.1:0/gone" };
          return [await described("gone.json", { ...description, credentials })];
        },
        status: 1,
        said: /^error: the local environment does not answer at http:\/\/127\.0\.0\.1:0: is it still running\?\n$/,
        names: ["node-env", "libpq"],
      },
      {
        what: "FILE is of another environment",
        args: async () => {
          const credentials = { ...description.credentials, authorizationToken: "of-another-one" };
          return [await described("another.json", { ...description, credentials })];
        },
        status: 1,
        said: /^error: the credentials endpoint answered 4\d\d: is FILE of the environment that runs\?\n$/,
      },
    ];
    for (const { what, args, status, said, names = ["node-env"] } of mistakes) {
      for (const name of names) {
        it(`npm run ${name} says so: ${what}`, async () => {
          const ended = await command(name, ...(await args()));
          assert.deepEqual([ended.status, ended.stdout], [status, "false\n"]);
          assert.match(ended.stderr, said);
          assert.equal(ended.stderr.includes(description.credentials.authorizationToken), false);
        });
      }
    }

    it("nothing is started then", async () => {
      const line = 'eval "$("$0" local/node-env.ts missing.json)" && echo started';
      const { status, stdout } = await run("sh", ["-c", line, process.execPath]);
      assert.deepEqual([status, stdout], [1, ""]);
    });

    it("help is there at once", async () => {
      for (const name of ["node-env", "libpq"]) {
        const { status, stdout, stderr } = await command(name, "--help");
        assert.deepEqual([status, stderr], [0, ""]);
        assert.match(stdout, new RegExp(`^Usage: .*npm run --silent ${name} -- FILE`));
      }
    });
  });
});
