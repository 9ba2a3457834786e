import assert from "node:assert/strict";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { type Foundation, layFoundation } from "../../local/environment/foundation.ts";
import { Teardown } from "../../local/environment/teardown.ts";
import type { Environment } from "../../local/environment.ts";
import { edit, without, withoutStatement } from "../../local/program/edit.ts";
import { readDeclared } from "../../local/program/read.ts";
import type { Program } from "../../local/program.ts";
import type { TargetHealth } from "../../local/proxy/target-health.ts";
import { begin, clientOf, evaluated, observe } from "./environment-fixture.ts";
import { eventually } from "./eventually.ts";

/** So that a wait for the database ends soon. */
const CONFIG = { borrowTimeoutSeconds: "1" };

/** How long a client listens to a proxy that says nothing. */
const SILENCE_MS = 800;

const USER = "service_owner";
const noCredentials = (user: string) =>
  `This RDS proxy has no credentials for the role ${user}. Check the credentials for this role and try again.`;

/** A slip in what is declared, and what a client of the proxy hears of it. */
interface Mistake {
  readonly what: string;
  readonly slip: (program: Program) => Program;
  /** User that the client names, if not the declared one. */
  readonly user?: string;
  /** Undefined for silence. */
  readonly text: string | undefined;
  readonly refusal: string;
  /** What the person at the laptop is told beside it. */
  readonly diagnosis: RegExp;
  readonly target: TargetHealth;
}

const available: TargetHealth = { state: "AVAILABLE" };
const authFailure: TargetHealth = { state: "UNAVAILABLE", reason: "AUTH_FAILURE" };
const unreachable: TargetHealth = { state: "UNAVAILABLE", reason: "UNREACHABLE" };

const IAM = {
  text: `The IAM authentication failed for the role ${USER}. Check the IAM token for this role and try again.`,
  refusal: "IAM_AUTHENTICATION_FAILED",
  // Not for a flaw of the token, which is good.
  diagnosis: /^NOT_ALLOWED: The policies of arn:aws:iam::\d+:role\/\S+ do not allow rds-db:connect on prx-/,
  target: available,
} as const;
const NO_CREDENTIALS = {
  text: noCredentials(USER),
  refusal: "NO_CREDENTIALS",
  diagnosis: /secret/,
  target: authFailure,
} as const;
const SILENCE = {
  text: undefined,
  refusal: "CLIENT_UNREACHABLE",
  diagnosis: /security groups do not let the service reach the proxy .* on port 5432/,
  target: available,
} as const;
const UNREACHABLE = {
  text: "Timed-out waiting to acquire database connection.",
  refusal: "BORROW_TIMED_OUT",
  diagnosis: /the target is UNAVAILABLE \(UNREACHABLE\)/,
  target: unreachable,
} as const;

/** Replaces a text in a policy document, which must hold it. */
function reworded(program: Program, type: string, name: string, input: string, from: string, to: string): Program {
  return edit(program, { type, name }, (inputs) => {
    const document = String(inputs[input]);
    assert.ok(document.includes(from), `${name} holds no ${from}: ${document}`);
    return { ...inputs, [input]: document.replace(from, to) };
  });
}

function withoutRule(program: Program, name: string): Program {
  const type = name.endsWith("-egress") ? "SecurityGroupEgressRule" : "SecurityGroupIngressRule";
  return without(program, { type, name });
}

const MISTAKES: readonly Mistake[] = [
  {
    what: "the service's grant is forgotten",
    slip: (program) => without(program, { type: "RolePolicy", name: "proxy-connect-service" }),
    ...IAM,
  },
  {
    what: "the service's grant names another user",
    slip: (program) => reworded(program, "RolePolicy", "proxy-connect-service", "policy", `/${USER}"`, '/reporting"'),
    ...IAM,
  },
  {
    what: "the service's grant spells the user in another case",
    slip: (program) =>
      reworded(program, "RolePolicy", "proxy-connect-service", "policy", `/${USER}"`, '/Service_owner"'),
    ...IAM,
  },
  {
    what: "the task runs with the execution role",
    slip: (program) =>
      edit(program, { type: "TaskDefinition", name: "service" }, (inputs) => ({
        ...inputs,
        taskRoleArn: inputs.executionRoleArn,
      })),
    ...IAM,
  },
  {
    what: "the client names another user than the secret's",
    slip: (program) => program,
    user: "reporting",
    text: noCredentials("reporting"),
    refusal: "NO_CREDENTIALS",
    diagnosis: /reporting/,
    target: available,
  },
  {
    what: "the proxy's role may not decrypt the secret",
    slip: (program) => withoutStatement(program, "proxy-read-secret", "DecryptMasterSecret"),
    ...NO_CREDENTIALS,
  },
  {
    what: "the proxy's role may not read the secret",
    slip: (program) => withoutStatement(program, "proxy-read-secret", "ReadMasterSecret"),
    ...NO_CREDENTIALS,
  },
  {
    what: "the proxy's role trusts another service than RDS",
    slip: (program) =>
      reworded(program, "Role", "proxy", "assumeRolePolicy", "rds.amazonaws.com", "lambda.amazonaws.com"),
    ...NO_CREDENTIALS,
  },
  {
    what: "the service has no egress to the proxy",
    slip: (program) => withoutRule(program, "service-to-proxy-egress"),
    ...SILENCE,
  },
  {
    what: "the proxy has no ingress from the service",
    slip: (program) => withoutRule(program, "service-to-proxy-ingress"),
    ...SILENCE,
  },
  {
    what: "the proxy has no egress to the database",
    slip: (program) => withoutRule(program, "proxy-to-database-egress"),
    ...UNREACHABLE,
  },
  {
    what: "the database has no ingress from the proxy",
    slip: (program) => withoutRule(program, "proxy-to-database-ingress"),
    ...UNREACHABLE,
  },
];

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
        assert.ok(arn?.includes(`:role/${name}`), error.message);
        return true;
      });
      assert.deepEqual(messages, []);
    });
  }
});
