import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { isGuarding, planMarkdown } from "../../../local/preview/markdown.ts";
import { type Change, type Plan, UNTIL_DEPLOYED } from "../../../local/preview/plan.ts";

function change(deed: Change["deed"], type: string, name: string, properties: Change["properties"] = {}): Change {
  return { deed, type, name, urn: `urn::${name}`, replacedFor: [], properties, deletedFirst: false };
}

function summary(...changes: readonly Change[]): string {
  return planMarkdown({ changes, unchanged: 7, diagnostics: [] }, { stack: "production", against: "main" });
}

const POLICY = (action: string) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Action: action }] });

describe("The summary of a preview", () => {
  it("tells replacements first, then who may do what, then what is deleted, updated and created", () => {
    const text = summary(
      change("create", "aws:sns/topic:Topic", "a-topic"),
      change("update", "aws:ecs/service:Service", "a-service", { desiredCount: { before: 1, after: 2 } }),
      change("delete", "aws:lb/listener:Listener", "a-listener"),
      change("update", "aws:iam/rolePolicy:RolePolicy", "a-policy", {
        policy: { before: POLICY("a:B"), after: POLICY("a:*") },
      }),
      change("replace", "aws:rds/proxy:Proxy", "a-proxy", { vpcSubnetIds: { before: ["a"], after: ["b"] } }),
    );
    const order = ["a-proxy", "a-policy", "a-listener", "a-service", "a-topic"].map((name) => text.indexOf(name));
    assert.ok(
      order.every((at) => at > 0),
      text,
    );
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.match(text, /^### Preview of `production` on the state of `main`$/m);
    assert.match(text, /^\| 1 \| 1 \| 2 \| 1 \| 7 \|$/m);
  });

  it("shows of a policy the lines that differ, and of what is not known that it is not", () => {
    const text = summary(
      change("update", "aws:iam/rolePolicy:RolePolicy", "p", {
        policy: { before: POLICY("a:B"), after: POLICY("a:*") },
      }),
      change("update", "aws:ecs/service:Service", "s", { taskDefinition: { before: "x", after: UNTIL_DEPLOYED } }),
    );
    assert.match(text, /^ {2}- +"Action": "a:B"$/m);
    assert.match(text, /^ {2}\+ +"Action": "a:\*"$/m);
    assert.doesNotMatch(text, /2012-10-17/);
    assert.match(text, /`taskDefinition`: known after deployment/);
  });

  it("says which replacement interrupts", () => {
    const replaced = { ...change("replace", "aws:rds/instance:Instance", "d"), replacedFor: ["username"] };
    assert.match(summary(replaced), /for `username`, the new one made first/);
    assert.match(summary({ ...replaced, deletedFirst: true }), /\*\*the old one deleted first\*\*/);
  });

  it("counts as guarding what decides on rights and packets, by type or by property", () => {
    const guarding = [
      change("create", "aws:iam/role:Role", "r"),
      change("create", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "r"),
      change("delete", "aws:s3/bucketPolicy:BucketPolicy", "r"),
      change("update", "aws:ec2/vpcEndpoint:VpcEndpoint", "r", { policy: { before: "", after: "" } }),
      change("update", "aws:rds/proxy:Proxy", "r", { requireTls: { before: true, after: false } }),
    ];
    assert.deepEqual(
      guarding.filter((each) => !isGuarding(each)),
      [],
    );
    assert.ok(!isGuarding(change("update", "aws:ecs/service:Service", "s", { desiredCount: { before: 1, after: 2 } })));
    assert.ok(!isGuarding(change("create", "aws:ecs/service:Service", "s")));
  });

  it("lets no name or value out of its place, whoever chose it", () => {
    const text = summary(
      change("update", "aws:sns/topic:Topic", "a`|\n# @everyone", {
        displayName: { before: "x", after: "```\n@everyone" },
      }),
    );
    assert.doesNotMatch(text, /^# @everyone/m);
    assert.match(text, /`a\?\?\?# @everyone`/);
    const fences = [...text.matchAll(/^ {2}(`{3,})/gm)].map(([, run]) => run?.length);
    assert.deepEqual(fences, [4, 4], "the block is fenced by more than it holds");
  });

  it("is cut where GitHub would refuse it, and says so", () => {
    const many = Array.from({ length: 3_000 }, (_, n) => change("update", "aws:sns/topic:Topic", `topic-${n}`));
    const text = summary(...many);
    assert.ok(text.length < 65_536);
    assert.match(text, /… and more: the summary is cut at 60000 characters\.\n$/);
  });

  it("shows what was refused", () => {
    const plan: Plan = { changes: [], unchanged: 0, diagnostics: [{ severity: "error", message: "no such key" }] };
    assert.match(
      planMarkdown(plan, { stack: "staging", against: undefined }),
      /from nothing[\s\S]*\*\*error\*\*[\s\S]*no such key/,
    );
  });
});
