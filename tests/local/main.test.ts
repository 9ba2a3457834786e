import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import pg from "pg";
import { PROJECT } from "../infra/declared-program.ts";
import { type CommandRun, runCommandLine } from "./command-run.ts";
import { begin } from "./environment-fixture.ts";
import { findPassword } from "./password-search.ts";

const local = (...args: readonly string[]): Promise<CommandRun> => runCommandLine("local/main.ts", ...args);

const JSON_LINE = /^\{.*\}\n/;

async function ask(url: string, init?: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000), ...init });
  assert.ok(response.ok, `${url} answers ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}

const post = (url: string, body: unknown): Promise<Record<string, unknown>> =>
  ask(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });

describe("npm run local", function () {
  this.timeout(90_000);

  it("serves two environments at once; one describes itself in one line of JSON, the other shows no secret", async () => {
    const users = ["service_owner", "rdsadmin"];
    await using json = await local("--json");
    await using text = await local();
    const [line] = await json.writes("stdout", JSON_LINE);
    const [, service = "", control = "", directUrl = ""] = await text.writes(
      "stdout",
      /service +(\S+)\/projects\ncontrol +(\S+) .*\nproxy .*\ndatabase +(\S+)\n\nCtrl-C stops everything\.\n/,
    );

    const described = JSON.parse(line);
    assert.deepEqual(described, shapeOf(described));
    assert.equal(described.pid, json.pid);
    await post(`${described.service.url}/projects`, { name: "only here" });
    assert.equal(((await ask(`${described.service.url}/projects`)).items as readonly unknown[]).length, 1);
    assert.deepEqual(await ask(`${service}/projects`), { items: [], nextCursor: null });

    const [before, superuser] = await verifiers(directUrl, users);
    const rotation = await post(`${control}/rotate`, { windowMs: 100 });
    assert.equal(rotation.windowMs, 100);
    const [rotated] = await verifiers(directUrl, users);
    assert.notEqual(rotated, before);
    assert.deepEqual((await ask(`${described.control.url}/healthz`)).secret, "active");

    json.signal("SIGINT", "group");
    assert.deepEqual(await json.exits(), { code: 130, signal: null });
    await json.leavesNothing();
    assert.equal(json.written.stdout, line);
    assert.match(json.written.stderr, /\nSIGINT: stopping\n$/);

    await post(`${service}/projects`, { name: "still served" });
    text.signal("SIGTERM");
    assert.deepEqual(await text.exits(), { code: 143, signal: null });
    await text.leavesNothing();
    const written = text.written.stdout + text.written.stderr;
    // The superuser's, which the address holds, shows that one would be found.
    const found = [superuser, before, rotated].map((verifier) => findPassword(written, verifier ?? "") !== undefined);
    assert.deepEqual(found, [true, false, false]);
    for (const part of ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"]) {
      assert.equal(written.includes(part), false);
    }
  });

  /** A way to end, and what is told of it. */
  interface Ending {
    readonly what: string;
    readonly args?: readonly string[];
    /** Text on stderr, or on stdout once it is ready, at which `deed` is done. */
    readonly at?: readonly ["stdout" | "stderr", RegExp];
    readonly deed?: (run: CommandRun) => Promise<void> | void;
    readonly exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null };
    readonly said?: RegExp;
  }

  const ready = ["stdout", JSON_LINE] as const;
  const killed = async (run: CommandRun, words: string) => process.kill((await run.child(words)).pid, "SIGKILL");
  const endings: readonly Ending[] = [
    {
      what: "Ctrl-C in the middle of the start",
      at: ["stderr", /starting the task/],
      deed: (run) => run.signal("SIGINT", "group"),
      exit: { code: 130, signal: null },
      said: /SIGINT: stopping/,
    },
    {
      what: "a configuration that the program refuses",
      args: ["--config", "maxConnections=-1"],
      exit: { code: 1, signal: null },
      said: /maxConnections is "-1"; allowed: a whole number from 20 to 5000/,
    },
    {
      what: "a start that fails when PostgreSQL runs already",
      args: ["--config", "databaseName=template1"],
      exit: { code: 1, signal: null },
      said: /database "template1" already exists/,
    },
    {
      what: "a crash of PostgreSQL",
      at: ready,
      deed: async (run) => void (await killed(run, "/bin/postgres -D")),
      exit: { code: 1, signal: null },
      said: /error: PostgreSQL ended \(SIGKILL\)/,
    },
    {
      what: "a crash of the application",
      at: ready,
      deed: async (run) => void (await killed(run, "main.js serve")),
      exit: { code: 1, signal: null },
      said: /error: the container service ended \(SIGKILL\)/,
    },
    {
      what: "kill -9",
      at: ready,
      deed: (run) => run.signal("SIGKILL"),
      exit: { code: null, signal: "SIGKILL" },
    },
  ];
  async function endAndLook({ args = [], at, deed, exit, said }: Ending): Promise<void> {
    await using run = await local("--json", ...args);
    if (at && deed) {
      await run.writes(...at);
      assert.equal(await run.hasUsedFolder(), true);
      await deed(run);
    }
    assert.deepEqual(await run.exits(), exit);
    await run.leavesNothing();
    if (said) assert.match(run.written.stderr, said);
    assert.equal(run.written.stdout === "", at !== ready);
  }

  describe("leaves no process, port, file or user behind", () => {
    let ended: Map<Ending, Promise<void>>;
    before(() => {
      ended = begin(2, endings, endAndLook);
    });
    after(() => Promise.allSettled(ended.values()));

    for (const ending of endings) it(`after ${ending.what}`, () => ended.get(ending));
  });
});

/** What the line of JSON must be: the documented members and no others, with addresses of the loopback only. */
function shapeOf({ proxy, database, credentials, service, control, pid }: Record<string, Record<string, string>>) {
  const matching = (text: string | undefined, pattern: RegExp): string => {
    assert.match(text ?? "", pattern);
    return text ?? "";
  };
  assert.ok(Number(proxy?.listenPort) > 0);
  return {
    region: "eu-west-2",
    proxy: {
      endpoint: matching(
        proxy?.endpoint,
        new RegExp(`^${PROJECT}-production-\\S+\\.proxy-\\S+\\.eu-west-2\\.rds\\.amazonaws\\.com$`),
      ),
      port: 5432,
      address: "127.0.0.1",
      listenPort: proxy?.listenPort,
      caFile: matching(proxy?.caFile, /^\/.*\/ca\.pem$/),
    },
    database: {
      user: "service_owner",
      name: "projects",
      directUrl: matching(database?.directUrl, /^postgres:\/\/rdsadmin:[^@]+@127\.0\.0\.1:\d+\/projects$/),
    },
    credentials: {
      fullUri: matching(credentials?.fullUri, /^http:\/\/127\.0\.0\.1:\d+\/\S+$/),
      authorizationToken: matching(credentials?.authorizationToken, /^\S{20,}$/),
    },
    service: { url: matching(service?.url, /^http:\/\/127\.0\.0\.1:\d+$/) },
    control: { url: matching(control?.url, /^http:\/\/127\.0\.0\.1:\d+$/) },
    pid,
  };
}

/** What PostgreSQL keeps of users' passwords. */
async function verifiers(directUrl: string, users: readonly string[]): Promise<readonly (string | undefined)[]> {
  const client = new pg.Client({ connectionString: directUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ rolname: string; rolpassword: string }>(
      "select rolname, rolpassword from pg_authid where rolname = any($1)",
      [users],
    );
    return users.map((user) => rows.find(({ rolname }) => rolname === user)?.rolpassword);
  } finally {
    await client.end();
  }
}
