import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { Program } from "../../../local/program.ts";
import { documentOf, ofType, only, programOf, STACKS } from "../declared-program.ts";
import { decide, type Question } from "../iam/decide.ts";
import { type DeclaredPolicies, readPolicies } from "../iam/declared-policies.ts";

/** Who and what takes part in an alarm's way to the topic. */
interface Scene {
  readonly topic: string;
  readonly key: string;
  readonly alarm: string;
  readonly rule: string;
  readonly database: string;
  readonly taskRole: string;
}

type Case = readonly [says: string, request: (scene: Scene) => Question];

const ACCOUNT = "123456789012";
const OTHER = "210987654321";
const CLOUDWATCH = "cloudwatch.amazonaws.com";
const EVENTS = "events.amazonaws.com";
const RDS = "events.rds.amazonaws.com";

function publish(principal: string, resource: string, account: string, source: string): Question {
  const context = { "aws:SourceAccount": account, "aws:SourceArn": source };
  return { principal, action: "sns:Publish", resource, context };
}

function use(principal: string, resource: string, action: string, context: Question["context"]): Question {
  return { principal, action: `kms:${action}`, resource, ...(context ? { context } : {}) };
}

const ofTopic = (topic: string) => ({ "kms:EncryptionContext:aws:sns:topicArn": topic });
const ofAlarm = ({ topic, alarm }: Scene) => ({
  ...ofTopic(topic),
  "aws:SourceAccount": ACCOUNT,
  "aws:SourceArn": alarm,
});

const ofDatabase = ({ topic, database }: Scene) => ({
  ...ofTopic(topic),
  "aws:SourceAccount": ACCOUNT,
  "aws:SourceArn": database,
});

const ALLOWED: readonly Case[] = [
  ["RDS publishes for the database", (s) => publish(RDS, s.topic, ACCOUNT, s.database)],
  ["an alarm publishes", (s) => publish(CLOUDWATCH, s.topic, ACCOUNT, s.alarm)],
  ["a rule publishes", (s) => publish(EVENTS, s.topic, ACCOUNT, s.rule)],
  ...["Decrypt", "GenerateDataKey"].flatMap((action): Case[] => [
    [`an alarm uses the key (${action})`, (s) => use(CLOUDWATCH, s.key, action, ofAlarm(s))],
    // All that AWS gives: no source.
    [`RDS uses the key for the database (${action})`, (s) => use(RDS, s.key, action, ofDatabase(s))],
    [`a rule uses the key (${action})`, (s) => use(EVENTS, s.key, action, ofTopic(s.topic))],
  ]),
];

const DENIED: readonly Case[] = [
  ["RDS publishes for another database of the account", (s) => publish(RDS, s.topic, ACCOUNT, `${s.database}-2`)],
  [
    "RDS publishes for a database of another account",
    (s) => publish(RDS, s.topic, OTHER, s.database.replace(ACCOUNT, OTHER)),
  ],
  ["RDS publishes without a source", (s) => ({ principal: RDS, action: "sns:Publish", resource: s.topic })],
  ["CloudWatch publishes for the database", (s) => publish(CLOUDWATCH, s.topic, ACCOUNT, s.database)],
  [
    "RDS uses the key for another database",
    (s) => use(RDS, s.key, "GenerateDataKey", { ...ofDatabase(s), "aws:SourceArn": `${s.database}-2` }),
  ],
  [
    "RDS uses the key for another topic",
    (s) => use(RDS, s.key, "Decrypt", { ...ofDatabase(s), ...ofTopic(`${s.topic}-2`) }),
  ],
  ["RDS uses the key without a source", (s) => use(RDS, s.key, "Decrypt", ofTopic(s.topic))],
  [
    "an alarm of another account publishes",
    (s) => publish(CLOUDWATCH, s.topic, OTHER, s.alarm.replace(ACCOUNT, OTHER)),
  ],
  ["an alarm publishes that claims to be of this account", (s) => publish(CLOUDWATCH, s.topic, OTHER, s.alarm)],
  ["another alarm of the account publishes", (s) => publish(CLOUDWATCH, s.topic, ACCOUNT, `${s.alarm}-2`)],
  [
    "an alarm of another region publishes",
    (s) => publish(CLOUDWATCH, s.topic, ACCOUNT, s.alarm.replace("eu-west-2", "eu-west-1")),
  ],
  ["a rule of another account publishes", (s) => publish(EVENTS, s.topic, OTHER, s.rule.replace(ACCOUNT, OTHER))],
  ["another rule of the account publishes", (s) => publish(EVENTS, s.topic, ACCOUNT, `${s.rule}-2`)],
  ["a rule publishes as CloudWatch", (s) => publish(CLOUDWATCH, s.topic, ACCOUNT, s.rule)],
  ["an alarm publishes as EventBridge", (s) => publish(EVENTS, s.topic, ACCOUNT, s.alarm)],
  [
    "CloudWatch publishes without a source",
    (s) => ({ principal: CLOUDWATCH, action: "sns:Publish", resource: s.topic }),
  ],
  ["EventBridge publishes without a source", (s) => ({ principal: EVENTS, action: "sns:Publish", resource: s.topic })],
  ["an alarm publishes to another topic", (s) => publish(CLOUDWATCH, `${s.topic}-2`, ACCOUNT, s.alarm)],
  ["another service publishes", (s) => publish("rds.amazonaws.com", s.topic, ACCOUNT, s.alarm)],
  ["the task publishes", (s) => ({ principal: s.taskRole, action: "sns:Publish", resource: s.topic })],
  ["CloudWatch subscribes", (s) => ({ ...publish(CLOUDWATCH, s.topic, ACCOUNT, s.alarm), action: "sns:Subscribe" })],
  [
    "an alarm publishes without TLS",
    (s) => ({
      ...publish(CLOUDWATCH, s.topic, ACCOUNT, s.alarm),
      context: { "aws:SourceAccount": ACCOUNT, "aws:SourceArn": s.alarm, "aws:SecureTransport": "false" },
    }),
  ],
  [
    "an alarm uses the key for another topic",
    (s) => use(CLOUDWATCH, s.key, "GenerateDataKey", { ...ofAlarm(s), ...ofTopic(`${s.topic}-2`) }),
  ],
  ["a rule uses the key for another topic", (s) => use(EVENTS, s.key, "GenerateDataKey", ofTopic(`${s.topic}-2`))],
  ["EventBridge uses the key for something else", (s) => use(EVENTS, s.key, "GenerateDataKey", undefined)],
  [
    "an alarm of another account uses the key",
    (s) => use(CLOUDWATCH, s.key, "Decrypt", { ...ofAlarm(s), "aws:SourceAccount": OTHER }),
  ],
  [
    "another alarm uses the key",
    (s) => use(CLOUDWATCH, s.key, "Decrypt", { ...ofAlarm(s), "aws:SourceArn": `${s.alarm}-2` }),
  ],
  ["CloudWatch encrypts with the key", (s) => use(CLOUDWATCH, s.key, "Encrypt", ofAlarm(s))],
  ["EventBridge encrypts with the key", (s) => use(EVENTS, s.key, "Encrypt", ofTopic(s.topic))],
  ["another service uses the key", (s) => use("rds.amazonaws.com", s.key, "Decrypt", ofAlarm(s))],
  ["the task uses the key", (s) => use(s.taskRole, s.key, "Decrypt", ofTopic(s.topic))],
];

for (const stack of STACKS) {
  describe(`On the way to the topic of stack ${stack}`, () => {
    let program: Program;
    let policies: DeclaredPolicies;
    let scene: Scene;
    before(async () => {
      program = await programOf(stack);
      policies = readPolicies(program);
      const arn = (type: string, name?: string) => String(only(program, type, name).outputs.arn);
      scene = {
        topic: arn("Topic"),
        key: arn("Key", "observability-alarms"),
        alarm: arn("MetricAlarm", "observability-failed-database-logins"),
        rule: arn("EventRule", "observability-rotation-failed"),
        database: arn("Instance"),
        taskRole: arn("Role", "service-task"),
      };
    });

    for (const [cases, allowed] of [
      [ALLOWED, true],
      [DENIED, false],
    ] as const) {
      for (const [says, request] of cases) {
        it(`AWS ${allowed ? "allows" : "denies"} that ${says}`, async () => {
          assert.equal(await decide(policies, request(scene)), allowed);
        });
      }
    }

    it("every alarm and every rule with a target is admitted", async () => {
      const alarms = ofType(program, "MetricAlarm").map(({ outputs }) => [CLOUDWATCH, String(outputs.arn)] as const);
      const told = new Set(ofType(program, "EventTarget").map(({ inputs }) => inputs.rule));
      const rules = ofType(program, "EventRule").filter(({ outputs }) => told.has(outputs.name));
      assert.equal(rules.length, 3);
      for (const [service, arn] of [...alarms, ...rules.map(({ outputs }) => [EVENTS, String(outputs.arn)] as const)]) {
        assert.equal(await decide(policies, publish(service, scene.topic, ACCOUNT, arn)), true, arn);
      }
      for (const [service, arn] of alarms) {
        const context = { ...ofAlarm(scene), "aws:SourceArn": arn };
        assert.equal(await decide(policies, use(service, scene.key, "GenerateDataKey", context)), true, arn);
      }
    });

    it("stands a key of the topic's own, which rotates and whose administration is the account's", () => {
      const key = only(program, "Key", "observability-alarms");
      assert.equal(only(program, "Topic").inputs.kmsMasterKeyId, key.outputs.arn);
      assert.equal(key.inputs.enableKeyRotation, true);
      const [administer, ...uses] = documentOf(key, "policy").Statement;
      assert.equal(administer?.Action, "kms:*");
      assert.equal(uses.length, 3);
    });

    it("no condition on the source keeps EventBridge from the key, where AWS does not support it", () => {
      const statements = documentOf(only(program, "Key", "observability-alarms"), "policy").Statement;
      const events = statements.find(({ Sid }) => Sid === "EventsUseKey");
      assert.deepEqual(events?.Condition, {
        StringEquals: { "kms:EncryptionContext:aws:sns:topicArn": scene.topic },
      });
    });
  });
}

describe("The topic", () => {
  it("mails nobody unless an address is configured, and then that one, but not of each rotation", async () => {
    assert.deepEqual(ofType(await programOf("production"), "TopicSubscription"), []);
    const program = await programOf("staging", { alarmEmail: "on-call@example.com" });
    const { inputs } = only(program, "TopicSubscription");
    assert.deepEqual(inputs, {
      topic: only(program, "Topic").outputs.arn,
      protocol: "email",
      endpoint: "on-call@example.com",
      filterPolicy: JSON.stringify({
        $or: [{ EventID: [{ exists: false }] }, { EventID: [{ "anything-but": ["RDS-EVENT-0016"] }] }],
      }),
    });
  });

  it("is another in another stack, with another key", async () => {
    const programs = await Promise.all(STACKS.map((stack) => programOf(stack)));
    assert.equal(new Set(programs.map((program) => only(program, "Topic").inputs.name)).size, 2);
  });
});
