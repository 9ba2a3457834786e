import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { rotationsSucceeded } from "../../../infra/observability/events.ts";
import type { Program } from "../../../local/program.ts";
import { ofType, only, PROJECT, programOf } from "../declared-program.ts";
import { allEventAlarms, SUBJECT } from "./tables.ts";

type Json = Readonly<Record<string, unknown>>;

/** Whether an event matches a pattern, for what these patterns use: values, nesting, $or ("Amazon EventBridge event patterns"). */
function matches(pattern: Json, event: Json): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === "$or") return (wanted as readonly Json[]).some((one) => matches(one, event));
    const value = event[key];
    if (!Array.isArray(wanted))
      return typeof value === "object" && value !== null && matches(wanted as Json, value as Json);
    return (Array.isArray(value) ? value : [value]).some((one) => wanted.includes(one));
  });
}

/** Events as AWS's guides show them, for the resources of a program. */
function samples(program: Program) {
  const [secret] = only(program, "Instance").outputs.masterUserSecrets as { readonly secretArn: string }[];
  const rotation = (eventName: string, SecretId = secret?.secretArn): Json => ({
    source: "aws.secretsmanager",
    "detail-type": "AWS Service Event via CloudTrail",
    resources: [],
    detail: {
      eventSource: "secretsmanager.amazonaws.com",
      eventName,
      eventType: "AwsServiceEvent",
      additionalEventData: { SecretId },
    },
  });
  const proxy = (EventID: string, SourceIdentifier = only(program, "Proxy").outputs.name): Json => ({
    source: "aws.rds",
    "detail-type": "RDS DB Proxy Event",
    resources: ["arn:aws:rds:eu-west-2:123456789012:db-proxy:some"],
    detail: { EventCategories: ["failure"], SourceType: "DB_PROXY", Message: "…", SourceIdentifier, EventID },
  });
  const deployment = (eventName: string, resource = only(program, "Service").outputs.arn): Json => ({
    source: "aws.ecs",
    "detail-type": "ECS Deployment State Change",
    resources: [resource],
    detail: { eventType: "ERROR", eventName, reason: "ECS deployment circuit breaker: task failed to start." },
  });
  return { rotation, proxy, deployment, secretArn: secret?.secretArn };
}

describe("The rules on events", () => {
  let program: Program;
  let matched: (event: Json) => readonly string[];
  before(async () => {
    program = await programOf("production");
    const rules = ofType(program, "EventRule").map(
      ({ name, inputs }) =>
        [name.replace("observability-", ""), JSON.parse(String(inputs.eventPattern)) as Json] as const,
    );
    assert.equal(rules.length, 4);
    matched = (event) => rules.filter(([, pattern]) => matches(pattern, event)).map(([name]) => name);
  });

  it("tell rotations that failed or were given up from those that ended well, of this secret only", () => {
    const { rotation } = samples(program);
    assert.deepEqual(matched(rotation("RotationFailed")), ["rotation-failed"]);
    assert.deepEqual(matched(rotation("RotationAbandoned")), ["rotation-failed"]);
    assert.deepEqual(matched(rotation("RotationSucceeded")), ["rotations"]);
    assert.deepEqual(matched(rotation("RotationStarted")), []);
    assert.deepEqual(
      matched(rotation("RotationFailed", "arn:aws:secretsmanager:eu-west-2:123456789012:secret:else")),
      [],
    );
  });

  it("find the secret in both places where it was seen", () => {
    const { rotation, secretArn } = samples(program);
    const event = rotation("RotationFailed");
    const { additionalEventData: _, ...detail } = event.detail as Json;
    assert.deepEqual(matched({ ...event, detail }), []);
    assert.deepEqual(matched({ ...event, detail: { ...detail, serviceEventDetails: { secretId: secretArn } } }), [
      "rotation-failed",
    ]);
  });

  it("tell failures and losses of this proxy, and no deployment's changes", () => {
    const { proxy } = samples(program);
    for (const id of ["0243", "0275", "0205", "0214"]) {
      assert.deepEqual(matched(proxy(`RDS-EVENT-${id}`)), ["proxy-events"], id);
      assert.deepEqual(matched(proxy(`RDS-EVENT-${id}`, "another-proxy")), [], id);
    }
    for (const id of ["0203", "0204", "0206", "0207", "0208", "0213"])
      assert.deepEqual(matched(proxy(`RDS-EVENT-${id}`)), [], id);
  });

  it("tell a deployment of this service that failed, and none that went well", () => {
    const { deployment } = samples(program);
    assert.deepEqual(matched(deployment("SERVICE_DEPLOYMENT_FAILED")), ["deployment-rolled-back"]);
    assert.deepEqual(matched(deployment("SERVICE_DEPLOYMENT_COMPLETED")), []);
    assert.deepEqual(matched(deployment("SERVICE_DEPLOYMENT_FAILED", `${only(program, "Service").outputs.arn}-2`)), []);
  });

  it("need a trail exactly where CloudTrail brings the event, and say so in their description", () => {
    const events = [
      ...allEventAlarms().map(({ key, event }) => [key, event] as const),
      ["rotations", rotationsSucceeded(SUBJECT)] as const,
    ];
    const needy = events.filter(([, event]) => event.needsTrail).map(([key]) => key);
    assert.deepEqual(needy, ["rotation-failed", "rotations"]);
    for (const [key, { detailType, needsTrail }] of events) {
      assert.equal(needsTrail, detailType.endsWith("via CloudTrail"), key);
      const description = String(only(program, "EventRule", `observability-${key}`).inputs.description);
      assert.equal(description.endsWith("(needs a CloudTrail trail)"), needsTrail, description);
      assert.ok(description.length <= 512);
    }
  });

  it("are told in words with the time, what happened and the runbook's section", () => {
    for (const { key, meaning, says } of allEventAlarms()) {
      const transformer = only(program, "EventTarget", `observability-${key}`).inputs.inputTransformer as Json;
      assert.deepEqual(transformer.inputPaths, { time: "$.time", what: says });
      assert.equal(
        JSON.parse(String(transformer.inputTemplate)),
        `${PROJECT}-production: ${meaning}. <time>: <what> Runbook: docs/runbook.md#${key}`,
      );
    }
  });

  it("count rotations that ended well without telling anyone", () => {
    const { name } = only(program, "EventRule", "observability-rotations").outputs;
    assert.deepEqual(
      ofType(program, "EventTarget").filter(({ inputs }) => inputs.rule === name),
      [],
    );
  });

  it("have names that EventBridge takes, in both stacks' account at once", async () => {
    for (const { outputs } of ofType(program, "EventRule")) assert.match(String(outputs.name), /^[\w.-]{1,64}$/);
  });
});
