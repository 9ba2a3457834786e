import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Control } from "../../policy/control.ts";
import { evaluateControls, fails } from "../../policy/evaluate.ts";
import { Fields } from "../../policy/fields.ts";
import type { Exception } from "../../policy/register.ts";
import { type Resource, Stack, type Tier } from "../../policy/stack.ts";

const TODAY = new Date("2026-12-01T12:00:00Z");

const control: Control = {
  id: "thing-locked",
  title: "Things are locked",
  sources: ["X.1"],
  severity: "high",
  selects: (stack) => stack.ofType("test:index:Thing"),
  check: ({ fields }) => (fields.isTrue("locked") ? [] : ["locked is false; allowed: true"]),
};

const exception: Exception = {
  control: "thing-locked",
  resource: "Thing door",
  reason: "It sticks.",
  compensating: "A guard stands before it.",
  reviewBy: "2027-01-31",
};

function thing(name: string, props: object): Resource {
  return { urn: `urn:${name}`, type: "test:index:Thing", name, fields: new Fields(props) };
}

interface Setting {
  readonly controls?: readonly Control[];
  readonly exceptions?: readonly Exception[];
  readonly tier?: Tier;
  readonly today?: Date;
}

function evaluated(resources: readonly Resource[], setting: Setting = {}) {
  const { controls = [control], exceptions = [], tier = "production", today = TODAY } = setting;
  const scorecard = evaluateControls(new Stack(tier, resources), { controls, exceptions, today });
  return {
    statuses: scorecard.findings.map(({ status }) => status),
    failed: scorecard.findings.filter(fails).length,
    says: scorecard.findings.flatMap(({ says }) => says),
    mistakes: scorecard.registerMistakes,
  };
}

/** As the policy SDK hands over what a preview cannot know. */
const unknown = (name: string) =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get: () => {
      throw new Error("it can't be known during preview");
    },
  });

describe("A control", () => {
  it("passes and fails each resource by itself", () => {
    const { statuses, failed } = evaluated([thing("door", { locked: true }), thing("window", { locked: false })]);
    assert.deepEqual(statuses, ["pass", "fail"]);
    assert.equal(failed, 1);
  });

  it("that matched nothing is not evaluated, which fails", () => {
    const { statuses, failed } = evaluated([]);
    assert.deepEqual(statuses, ["not evaluated"]);
    assert.equal(failed, 1);
  });

  it("that matched nothing and may is not applicable, which does not fail, and says why", () => {
    const unneeded = { ...control, unneeded: () => "there is no house" };
    const { statuses, failed, says } = evaluated([], { controls: [unneeded] });
    assert.deepEqual([statuses, failed, says], [["not applicable"], 0, ["there is no house"]]);
  });

  it("that must know what only the deployment tells says so, and fails nothing", () => {
    const { statuses, failed, says } = evaluated([thing("door", unknown("locked"))]);
    assert.deepEqual([statuses, failed], [["unknown"], 0]);
    assert.match(says.join(), /^locked is not known/);
  });

  it("does not need to know what it does not read", () => {
    const door = Object.defineProperty(unknown("colour"), "locked", { enumerable: true, value: true });
    assert.deepEqual(evaluated([thing("door", door)]).statuses, ["pass"]);
  });

  it("cannot pass what it cannot read, and never throws", () => {
    const reading: Control = { ...control, check: ({ fields }) => (fields.json("locked") ? [] : []) };
    const { statuses, failed, says } = evaluated([thing("door", { locked: "{" })], { controls: [reading] });
    assert.deepEqual([statuses, failed], [["fail"], 1]);
    assert.match(says.join(), /could not be read: locked is no JSON/);
  });

  it("holds for its tiers only", () => {
    const strict: Control = { ...control, tiers: ["production"] };
    assert.deepEqual(evaluated([thing("door", {})], { controls: [strict], tier: "staging" }).statuses, []);
    assert.deepEqual(evaluated([thing("door", {})], { controls: [strict] }).statuses, ["fail"]);
  });
});

describe("An exception", () => {
  const open = [thing("door", { locked: false })];

  it("accepts its control on its resource, and no other", () => {
    const { statuses, failed } = evaluated([...open, thing("window", {})], { exceptions: [exception] });
    assert.deepEqual([statuses, failed], [["exception", "fail"], 1]);
  });

  it("counts until the end of the day that it is to be reviewed", () => {
    const last = new Date("2027-01-31T23:59:59Z");
    assert.deepEqual(evaluated(open, { exceptions: [exception], today: last }).statuses, ["exception"]);
  });

  it("that is past its day fails, and says when that was", () => {
    const after = new Date("2027-02-01T00:00:00Z");
    const { statuses, failed, says, mistakes } = evaluated(open, { exceptions: [exception], today: after });
    assert.deepEqual([statuses, failed, mistakes], [["fail"], 1, []]);
    assert.match(says.join(), /expired: it was to be reviewed by 2027-01-31/);
  });

  it("that matches nothing fails", () => {
    const { mistakes } = evaluated([thing("door", { locked: true })], { exceptions: [exception] });
    assert.deepEqual(mistakes, [
      "the exception for thing-locked on Thing door matches nothing: remove it from policy/exceptions.ts",
    ]);
  });

  it("is not missed while its control cannot know yet", () => {
    const { mistakes } = evaluated([thing("door", unknown("locked"))], { exceptions: [exception] });
    assert.deepEqual(mistakes, []);
  });

  it("is not missed where its control does not hold", () => {
    const strict: Control = { ...control, tiers: ["production"] };
    const { mistakes } = evaluated(open, { controls: [strict], exceptions: [exception], tier: "staging" });
    assert.deepEqual(mistakes, []);
  });

  it("needs a control, a reason, a compensating control, a date, and stands once", () => {
    const wrong = { ...exception, control: "nothing", reason: " ", reviewBy: "2027-02-30" };
    const { mistakes } = evaluated(open, { exceptions: [exception, exception, wrong] });
    assert.deepEqual(
      mistakes.map((mistake) => mistake.replace(/^the exception for /, "")),
      [
        "thing-locked on Thing door is registered twice",
        "nothing on Thing door names no control; allowed: an id of policy/controls.ts",
        "nothing on Thing door gives no reason or no compensating control",
        'nothing on Thing door has the review date "2027-02-30"; allowed: YYYY-MM-DD',
      ],
    );
  });
});

describe("The id of a resource", () => {
  const idOf = (props: object) => new Stack("production", []).idOf(thing("door", props));

  it("is the one among its outputs, else the end of its ARN", () => {
    assert.equal(idOf({ id: "sg-1", arn: "arn:aws:ec2:eu-west-2:123456789012:security-group/sg-2" }), "sg-1");
    assert.equal(idOf({ arn: "arn:aws:ec2:eu-west-2:123456789012:security-group/sg-2" }), "sg-2");
    assert.equal(idOf({ arn: "arn:aws:s3:::logs" }), "logs");
    assert.equal(idOf({}), undefined);
  });
});
