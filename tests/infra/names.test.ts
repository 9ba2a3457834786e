import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { rdsName, stackPrefix } from "../../infra/names.ts";

/** Letters, digits, single hyphens; a letter first, no hyphen last; at most 63 ("CreateDBProxy"). */
const RDS_NAME = /^(?=.{1,63}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

type Stack = readonly [project: string, stack: string];

const STACKS: readonly Stack[] = [
  ["project", "stack"],
  ["Project", "STACK"],
  ["project", "feature/some_branch--x"],
  ["-project-", "-stack-"],
  ["1password", "2"],
  ["p".repeat(100), "stack"],
  [`${"p".repeat(53)}-${"q".repeat(20)}`, "stack"],
  ["проект", "стек"],
  ["", ""],
  ["42", "43"],
];

/** Stacks whose names come out alike when they are only cut and cleaned. */
const ALIKE: readonly Stack[] = [
  ["project", "a.b"],
  ["project", "a-b"],
  ["project", "a_b"],
  ["project-a", "b"],
  ["project", `${"s".repeat(60)}1`],
  ["project", `${"s".repeat(60)}2`],
  ["project", `${"s".repeat(99)}1`],
  ["project", `${"s".repeat(99)}2`],
];

describe("The name of an RDS proxy or instance", () => {
  for (const stack of STACKS) {
    it(`is one that RDS takes, from ${JSON.stringify(stack).slice(0, 40)}`, () => {
      assert.match(rdsName("proxy", ["subnet-1"], stack), RDS_NAME);
    });
  }

  it("is the same for the same reasons to replace it, on every machine", () => {
    assert.equal(rdsName("proxy", ["a", "b"], ["project", "stack"]), "project-stack-a9bbd4af");
  });

  it("changes with each of the values that replace the resource, and with their borders", () => {
    const reasons = [["a", "b"], ["a", "c"], ["b", "a"], ["ab"], ["a", "b", ""]];
    const names = reasons.map((by) => rdsName("proxy", by, ["project", "stack"]));
    assert.equal(new Set(names).size, names.length);
  });

  it("tells the components of a stack apart", () => {
    const [one, other] = ["orders", "billing"].map((component) => rdsName(component, ["a"], ["project", "stack"]));
    assert.notEqual(one, other);
  });

  it("tells stacks apart whose names are alike, by the hash that it keeps of what had to be cut", () => {
    const names = ALIKE.map((stack) => rdsName("proxy", ["a"], stack));
    assert.equal(new Set(names).size, ALIKE.length);
    assert.equal(Math.max(...names.map((name) => name.length)), 63);
  });
});

describe("The prefix of what people read", () => {
  it("is the project and the stack, where that names one stack only", () => {
    assert.equal(stackPrefix(200, ["project", "production"]), "project-production");
    assert.equal(stackPrefix(200, ["my-project", "eu_west"]), "my-project-eu_west");
  });

  it("holds only what topics, dashboards and task families take, also from names with dots", () => {
    assert.match(stackPrefix(200, ["my.project", "eu.west_2"]), /^my-project-eu-west_2-[0-9a-f]{8}$/);
  });

  it("tells stacks apart whose names are alike, at any length", () => {
    for (const limit of [200, 100, 40]) {
      const prefixes = ALIKE.map((stack) => stackPrefix(limit, stack));
      assert.equal(new Set(prefixes).size, ALIKE.length, String(limit));
      for (const prefix of prefixes) assert.ok(prefix.length <= limit, prefix);
    }
  });

  it("leaves room for the longest name of an alarm, with the longest names that Pulumi takes", () => {
    const longest = `${stackPrefix(undefined, ["p".repeat(100), "s".repeat(100)])}-failed-client-authentication`;
    // "PutMetricAlarm", "CreateTopic" and "PutDashboard" take 255, 256 and 255.
    assert.ok(longest.length <= 255, String(longest.length));
  });
});
