import assert from "node:assert/strict";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { type Foundation, layFoundation } from "../../local/environment/foundation.ts";
import { Teardown } from "../../local/environment/teardown.ts";
import type { Environment } from "../../local/environment.ts";
import { readDeclared } from "../../local/program/read.ts";
import type { Program } from "../../local/program.ts";
import type { TargetHealth } from "../../local/proxy/target-health.ts";
import { begin, clientOf, evaluated, observe } from "./environment-fixture.ts";
import { available, MISTAKES, type Mistake, reworded, USER } from "./environment-mistakes.ts";
import { eventually } from "./eventually.ts";

/** So that a wait for the database ends soon. */
const CONFIG = { borrowTimeoutSeconds: "1" };

/** How long a client listens to a proxy that says nothing. */
const SILENCE_MS = 800;

/** Everything that a client met, and what the proxy says of it. */
interface Meeting {
  /** What ended the attempt to connect, as the client tells it. */
  readonly error: string | undefined;
  /** Who the client is in the database. */
  readonly user: string | undefined;
  /** What a TCP client hears that asks for TLS. */
  readonly firstBytes: string;
  readonly refusals: readonly { readonly code: string; readonly diagnosis: string }[];
  readonly target: TargetHealth;
}

async function meet(
  program: Program,
  foundation: Foundation,
  named: string | undefined,
  patienceMs: number,
): Promise<Meeting> {
  await using observed = await observe(program, { foundation });
  const { proxy } = observed.environment;
  await eventually("the target was looked at", 5_000, () => proxy.targetHealth().state !== "REGISTERING");
  const met = await connectAs(observed.environment, named, patienceMs);
  const refusals = [...observed.refusals];
  return { ...met, refusals, target: proxy.targetHealth(), firstBytes: await askForTls(proxy.port) };
}

async function connectAs(
  environment: Environment,
  named: string | undefined,
  patienceMs: number,
): Promise<Pick<Meeting, "error" | "user">> {
  const client = await clientOf(environment, named, patienceMs);
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ user: string }>("select current_user as user");
    return { error: undefined, user: rows[0]?.user };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error), user: undefined };
  } finally {
    await client.end();
  }
}

/** What the proxy answers to PostgreSQL's SSLRequest, and nothing when it neither answers nor closes for a while. */
async function askForTls(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write(Buffer.from("0000000804d2162f", "hex"));
    return await Promise.race([firstBytes(socket), delay(SILENCE_MS, "", { ref: false })]);
  } finally {
    socket.destroy();
  }
}

async function firstBytes(socket: AsyncIterable<Buffer>): Promise<string> {
  for await (const bytes of socket) return bytes.toString();
  return "closed without a byte";
}

describe("A slip in what the program declares fails on the laptop as on AWS", function () {
  this.timeout(60_000);
  const teardown = new Teardown(assert.fail);
  let meetings: Map<Mistake | undefined, Promise<Meeting>> | undefined;

  before(async () => {
    const program = await evaluated(CONFIG);
    // What is edited is the way to the database, never the database: one serves every case.
    const foundation = await layFoundation(readDeclared(program), teardown, () => {});
    meetings = begin(3, [undefined, ...MISTAKES], async (mistake) => {
      const patienceMs = mistake !== undefined && mistake.text === undefined ? SILENCE_MS : 10_000;
      return meet(mistake ? mistake.slip(program) : program, foundation, mistake?.user, patienceMs);
    });
  });
  after(async () => {
    await Promise.allSettled(meetings?.values() ?? []);
    await teardown.run();
  });

  it("and without one, the client is let in as the declared user", async () => {
    assert.deepEqual(await meetings?.get(undefined), {
      error: undefined,
      user: USER,
      firstBytes: "S",
      refusals: [],
      target: available,
    });
  });

  for (const mistake of MISTAKES) {
    const outcome = mistake.text === undefined ? "the client hears nothing" : `"${mistake.text}"`;
    it(`when ${mistake.what}: ${outcome}`, async () => {
      const met = (await meetings?.get(mistake)) as Meeting;
      // What pg says when its own limit ends the wait.
      assert.equal(met.error, mistake.text ?? "timeout expired");
      assert.equal(met.user, undefined);
      assert.equal(met.firstBytes, mistake.text === undefined ? "" : "S");
      assert.deepEqual(
        met.refusals.map(({ code }) => code),
        [mistake.refusal],
      );
      assert.match(met.refusals[0]?.diagnosis ?? "", mistake.diagnosis);
      assert.deepEqual(met.target, mistake.target);
    });
  }

  for (const [role, name] of [
    ["task", "service-task"],
    ["execution", "service-execution"],
  ] as const) {
    it(`when the ${role} role trusts another service than ECS: no task starts`, async () => {
      const program = await evaluated(CONFIG);
      const slip = reworded(program, "Role", name, "assumeRolePolicy", "ecs-tasks.amazonaws.com", "ec2.amazonaws.com");
      const messages: string[] = [];
      const start = async () => {
        await using _started = await observe(slip, { withService: true, messages });
      };
      await assert.rejects(start, (error: Error & { code?: string }) => {
        assert.equal(error.code, "ENVIRONMENT_FAILED");
        const [, arn] =
          /^ECS was unable to assume the role '(.+)' that was provided for this task$/.exec(error.message) ?? [];
        assert.ok(/:role\/[^:]*$/.test(arn ?? "") && arn?.includes(`/${name}-`), error.message);
        return true;
      });
      assert.deepEqual(messages, []);
    });
  }
});
