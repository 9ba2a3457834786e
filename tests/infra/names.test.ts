import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { rdsName, stackPrefix } from "../../infra/names.ts";

/** Letters, digits, single hyphens; a letter first, no hyphen last; at most 63 ("CreateDBProxy"). */
const RDS_NAME = /^(?=.{1,63}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

const PARTS: readonly (readonly string[])[] = [
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

describe("The name of an RDS proxy or instance", () => {
  for (const parts of PARTS) {
    it(`is one that RDS takes, from ${JSON.stringify(parts).slice(0, 40)}`, () => {
      assert.match(rdsName(parts, ["subnet-1"]), RDS_NAME);
    });
  }

  it("is the same for the same reasons to replace it, on every machine", () => {
    assert.equal(rdsName(["project", "stack"], ["a", "b"]), "project-stack-0473ef2d");
  });

  it("changes with each of the values that replace the resource, and with their borders", () => {
    const names = [["a", "b"], ["a", "c"], ["b", "a"], ["ab"], ["a", "b", ""]].map((by) => rdsName(["project"], by));
    assert.equal(new Set(names).size, names.length);
  });

  it("keeps the hash of a name that is too long", () => {
    const long = ["p".repeat(80)];
    assert.equal(rdsName(long, ["a"]).length, 63);
    assert.notEqual(rdsName(long, ["a"]), rdsName(long, ["b"]));
  });
});

describe("The prefix of what people read", () => {
  it("tells projects and stacks apart", () => {
    assert.equal(stackPrefix("project", "production"), "project-production");
  });

  it("holds only what topics and dashboards take, also from names with dots", () => {
    assert.equal(stackPrefix("my.project", "eu.west_2"), "my-project-eu-west_2");
  });

  it("leaves room for the longest name of an alarm, with the longest names that Pulumi takes", () => {
    const longest = `${stackPrefix("p".repeat(100), "s".repeat(100))}-failed-client-authentication`;
    // "PutMetricAlarm", "CreateTopic" and "PutDashboard" take 255, 256 and 255.
    assert.ok(longest.length <= 255, String(longest.length));
  });
});
