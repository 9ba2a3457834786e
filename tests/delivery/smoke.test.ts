import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DeliveryError, type Run } from "../../delivery/run.ts";
import { addressOf, objectionsToAnswers } from "../../delivery/smoke/call.ts";
import { objections } from "../../delivery/smoke/judgement.ts";
import { observe } from "../../delivery/smoke/observe.ts";
import { settle } from "../../delivery/smoke/settle.ts";
import { stackOutputs } from "../../delivery/stack-outputs.ts";
import { containersOf, programOf } from "../infra/declared-program.ts";

const DIGEST = `sha256:${"4f".repeat(32)}`;
const OUTPUTS = { region: "eu-west-2", clusterName: "cluster", serviceName: "service", imageDigest: DIGEST };
const DEFINITION = "arn:aws:ecs:eu-west-2:123456789012:task-definition/service:7";

/** A deployment that is as it should be, as the AWS command line tells of it. */
function answers() {
  const task = (id: string) => ({
    taskArn: `arn:aws:ecs:eu-west-2:123456789012:task/cluster/${id}`,
    lastStatus: "RUNNING",
    taskDefinitionArn: DEFINITION,
    containers: [
      { name: "migrate", lastStatus: "STOPPED", exitCode: 0, imageDigest: DIGEST },
      { name: "service", lastStatus: "RUNNING", imageDigest: DIGEST },
    ],
  });
  const target = (Id: string) => ({ Target: { Id, Port: 8080 }, TargetHealth: { State: "healthy" } });
  return {
    "describe-services": {
      services: [
        {
          status: "ACTIVE",
          desiredCount: 2,
          runningCount: 2,
          taskDefinition: DEFINITION,
          deployments: [{ status: "PRIMARY", rolloutState: "COMPLETED" }],
          loadBalancers: [{ targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-2:123456789012:targetgroup/x/1" }],
        },
      ],
      failures: [],
    },
    "list-tasks": { taskArns: ["a", "b"] },
    "describe-tasks": { tasks: [task("a"), task("b")] },
    "describe-target-health": { TargetHealthDescriptions: [target("10.0.0.1"), target("10.0.0.2")] },
  };
}

type Answers = ReturnType<typeof answers>;

/** What speaks against a deployment after `spoil` has changed what AWS says of it. */
async function judge(spoil: (given: Answers) => void = () => {}): Promise<readonly string[]> {
  const given = answers();
  spoil(given);
  const aws: Run = async (program, [, operation = ""]) => {
    assert.equal(program, "aws");
    return JSON.stringify(given[operation as keyof Answers]);
  };
  return objections(await observe(OUTPUTS, aws), DIGEST);
}

const OTHER = `sha256:${"00".repeat(32)}`;

/** A change of what AWS says, and what must then speak against the deployment, and nothing else. */
const SPOILT: Readonly<Record<string, readonly [spoil: (given: Answers) => void, objections: readonly string[]]>> = {
  "whose service is being deleted": [
    (given) => void Object.assign(given["describe-services"].services[0] ?? {}, { status: "DRAINING" }),
    ["the service is DRAINING, not ACTIVE"],
  ],
  "that was rolled back": [
    (given) =>
      void Object.assign(given["describe-services"].services[0]?.deployments[0] ?? {}, { rolloutState: "FAILED" }),
    ["deployments: PRIMARY FAILED"],
  ],
  "whose predecessor is still there": [
    (given) =>
      void given["describe-services"].services[0]?.deployments.push({ status: "ACTIVE", rolloutState: "COMPLETED" }),
    ["deployments: PRIMARY COMPLETED, ACTIVE COMPLETED"],
  ],
  "that lacks a task": [
    (given) => void Object.assign(given["describe-services"].services[0] ?? {}, { runningCount: 1 }),
    ["1 of 2 tasks run"],
  ],
  "that wants no task": [
    (given) => void Object.assign(given["describe-services"].services[0] ?? {}, { runningCount: 0, desiredCount: 0 }),
    ["the service wants no task"],
  ],
  "of which no task is found": [
    (given) => void Object.assign(given["list-tasks"], { taskArns: [] }),
    ["no task was found"],
  ],
  "with a task of the revision before": [
    (given) =>
      void Object.assign(given["describe-tasks"].tasks[1] ?? {}, { taskDefinitionArn: DEFINITION.replace(/7$/, "6") }),
    ["task b is of service:6, not of service:7"],
  ],
  "with a task that stops": [
    (given) => void Object.assign(given["describe-tasks"].tasks[0] ?? {}, { lastStatus: "DEPROVISIONING" }),
    ["task a is DEPROVISIONING"],
  ],
  "that runs another image": [
    (given) => void Object.assign(given["describe-tasks"].tasks[0]?.containers[1] ?? {}, { imageDigest: OTHER }),
    [`service of task a runs ${OTHER}, not ${DIGEST}`],
  ],
  "whose image ECS does not tell": [
    (given) => void Object.assign(given["describe-tasks"].tasks[0]?.containers[1] ?? {}, { imageDigest: undefined }),
    [`service of task a runs an unknown image, not ${DIGEST}`],
  ],
  "whose migration failed": [
    (given) => void Object.assign(given["describe-tasks"].tasks[1]?.containers[0] ?? {}, { exitCode: 1 }),
    ["migrate of task b is STOPPED with exit code 1"],
  ],
  "whose service has stopped": [
    (given) =>
      void Object.assign(given["describe-tasks"].tasks[1]?.containers[1] ?? {}, { lastStatus: "STOPPED", exitCode: 0 }),
    ["service of task b is STOPPED with exit code 0"],
  ],
  "with a task that lacks the service": [
    (given) => void given["describe-tasks"].tasks[0]?.containers.pop(),
    ["task a has no container service"],
  ],
  "with a target that does not answer": [
    (given) =>
      void Object.assign(given["describe-target-health"].TargetHealthDescriptions[0] ?? {}, {
        TargetHealth: { State: "unhealthy", Description: "Request timed out" },
      }),
    ["target 10.0.0.1 is unhealthy: Request timed out", "1 of 2 targets are healthy"],
  ],
  "of which the load balancer knows too few targets": [
    (given) => void given["describe-target-health"].TargetHealthDescriptions.pop(),
    ["1 of 2 targets are healthy"],
  ],
};

describe("The smoke test", () => {
  it("finds nothing against a deployment that serves", async () => {
    assert.deepEqual(await judge(), []);
  });

  for (const [what, [spoil, expected]] of Object.entries(SPOILT)) {
    it(`objects to a deployment ${what}`, async () => {
      assert.deepEqual(await judge(spoil), expected);
    });
  }

  it("does not mind targets on their way out", async () => {
    const leave = { Target: { Id: "10.0.0.9", Port: 8080 }, TargetHealth: { State: "draining" } };
    assert.deepEqual(
      await judge((given) => void given["describe-target-health"].TargetHealthDescriptions.push(leave)),
      [],
    );
  });

  it("knows the containers by the names that the program declares", async () => {
    const names = containersOf(await programOf("production")).map(({ name }) => name);
    assert.deepEqual(
      names,
      answers()["describe-tasks"].tasks[0]?.containers.map(({ name }) => name),
    );
  });

  it("finds in the stack's outputs all that it asks AWS for", async () => {
    const { outputs } = await programOf("production");
    for (const name of Object.keys(OUTPUTS)) assert.equal(typeof outputs[name], "string", name);
  });

  it("says which answer it could not read, and which output is missing", async () => {
    await assert.rejects(
      observe(OUTPUTS, async () => "{}"),
      (error: unknown) => {
        assert.ok(error instanceof DeliveryError);
        assert.match(error.message, /^aws ecs describe-services answered otherwise than documented: \{\}$/);
        return true;
      },
    );
    await assert.rejects(
      observe({ region: "eu-west-2" }, async () => "{}"),
      /the stack has no output clusterName; deploy it first/,
    );
    await assert.rejects(
      stackOutputs("staging", async () => "nothing"),
      /pulumi printed no object of outputs for stack staging/,
    );
  });

  it("waits for what passes, asks no more often than it was told, and gives up in time", async () => {
    const asked: number[] = [];
    let now = 1_000;
    const clock = {
      now: () => now,
      wait: async (ms: number) => {
        now += ms;
      },
    };
    const until = (end: number) => async () => {
      asked.push(now);
      return now < end ? ["not yet"] : [];
    };
    assert.deepEqual(await settle(until(21_000), { everyMs: 10_000, limitMs: 60_000 }, clock), []);
    assert.deepEqual(asked.splice(0), [1_000, 11_000, 21_000]);
    assert.deepEqual(await settle(until(Infinity), { everyMs: 10_000, limitMs: 25_000 }, clock), ["not yet"]);
    assert.deepEqual(asked, [21_000, 31_000, 41_000]);
  });
});

describe("The call of a service that can be reached", () => {
  it("asks whether it lives and whether it reaches its database", async () => {
    const called: string[] = [];
    const call: typeof fetch = async (url) => {
      called.push(String(url));
      return new Response(null, { status: 200 });
    };
    assert.deepEqual(await objectionsToAnswers(new URL("https://projects.example.com"), call), []);
    assert.deepEqual(called, ["https://projects.example.com/livez", "https://projects.example.com/readyz"]);
  });

  it("objects to another status, and to none", async () => {
    const call: typeof fetch = async (url) => {
      if (String(url).endsWith("/livez")) throw new TypeError("fetch failed");
      return new Response(null, { status: 503 });
    };
    const found = await objectionsToAnswers(new URL("https://projects.example.com"), call);
    assert.equal(found.length, 2);
    assert.match(found[0] ?? "", /^https:\/\/projects\.example\.com\/livez does not answer: /);
    assert.equal(found[1], "https://projects.example.com/readyz answers 503, not 200");
  });

  it("is left out where no address is given, and refuses one that is not TLS or holds more than a host", () => {
    assert.equal(addressOf(""), undefined);
    assert.equal(addressOf("https://projects.example.com:8443")?.origin, "https://projects.example.com:8443");
    for (const wrong of [
      "http://projects.example.com",
      "projects.example.com",
      "https://a:b@projects.example.com",
      "https://x.example/y",
      "https://x.example/?y",
    ])
      assert.throws(() => addressOf(wrong), { code: "DELIVERY" }, wrong);
  });
});
