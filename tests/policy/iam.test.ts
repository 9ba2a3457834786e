import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseDocument, type Statement } from "../../policy/iam/document.ts";
import { escalations } from "../../policy/iam/escalation.ts";
import { allowsAction, covers, isHeldBy } from "../../policy/iam/match.ts";
import { isNamedWildcard } from "../../policy/iam/named-wildcards.ts";

function parse(...statements: readonly object[]): readonly Statement[] {
  return parseDocument(JSON.stringify({ Version: "2012-10-17", Statement: statements }), "a test");
}

function one(statement: object): Statement {
  const [parsed] = parse({ Effect: "Allow", Action: "sns:Publish", Resource: "*", ...statement });
  assert.ok(parsed);
  return parsed;
}

describe("A policy document", () => {
  it("reads the same whether its parts stand alone or in lists", () => {
    const alone = one({ Action: "kms:Decrypt", Resource: "x", Principal: { AWS: "123456789012" } });
    const listed = one({ Action: ["kms:Decrypt"], Resource: ["x"], Principal: { AWS: ["123456789012"] } });
    assert.deepEqual(alone, listed);
    const single = parseDocument('{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}', "a test");
    assert.equal(single.length, 1);
  });

  it("knows the principal * in each of its spellings", () => {
    for (const Principal of ["*", { AWS: "*" }, { AWS: ["*"] }]) {
      assert.deepEqual(one({ Principal }).principals, [{ type: "AWS", value: "*" }]);
    }
  });

  it("that is none is refused, in words", () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ["{", /is no JSON/],
      ["[]", /is no object/],
      ['{"Statement": ["x"]}', /statement 0 of a test is no object/],
      ['{"Statement": [{"Effect": "allow", "Action": "*"}]}', /no Effect Allow or Deny/],
      ['{"Statement": [{"Effect": "Allow"}]}', /no Action/],
      ['{"Statement": [{"Effect": "Allow", "Action": "*", "NotAction": "x"}]}', /both Action and NotAction/],
      ['{"Statement": [{"Effect": "Allow", "Action": "*", "Ressource": "x"}]}', /has Ressource; allowed: Action, /],
      ['{"Statement": [{"Effect": "Allow", "Action": [1, {}]}]}', /holds what is no text/],
    ];
    for (const [text, message] of refused) assert.throws(() => parseDocument(text, "a test"), { message }, text);
  });
});

describe("A statement", () => {
  it("allows an action by name, by pattern and by exception, in any case", () => {
    const cases: readonly (readonly [object, boolean])[] = [
      [{ Action: "rds-db:connect" }, true],
      [{ Action: "RDS-DB:Connect" }, true],
      [{ Action: "rds-db:*" }, true],
      [{ Action: "*" }, true],
      [{ Action: "rds-db:connec?" }, true],
      [{ Action: "rds:connect" }, false],
      [{ Action: "rds-db:connect", Effect: "Deny" }, false],
      [{ Action: undefined, NotAction: "iam:*" }, true],
      [{ Action: undefined, NotAction: "rds-db:*" }, false],
    ];
    for (const [statement, allowed] of cases) {
      assert.equal(allowsAction(one(statement), "rds-db:connect"), allowed, JSON.stringify(statement));
    }
  });

  it("compares resources letter by letter, with * and ? alone as patterns", () => {
    assert.equal(covers("arn:aws:s3:::logs/*", "arn:aws:s3:::logs/a/b"), true);
    assert.equal(covers("arn:aws:s3:::log?", "arn:aws:s3:::logs"), true);
    assert.equal(covers("a.c", "abc"), false);
    assert.equal(covers("user", "User"), false);
  });

  it("is held by a condition only if that cannot be passed without the key", () => {
    const key = /^aws:SourceAccount$/i;
    const held = (operator: string, value: unknown) =>
      isHeldBy(one({ Condition: { [operator]: { "AWS:SourceAccount": value } } }), key);
    assert.equal(held("StringEquals", "123456789012"), true);
    assert.equal(held("StringLike", ["123456789012"]), true);
    assert.equal(held("StringEqualsIfExists", "123456789012"), false);
    assert.equal(held("StringNotEquals", "123456789012"), false);
    assert.equal(held("ForAllValues:StringEquals", "123456789012"), false);
    assert.equal(held("StringLike", "*"), false);
    assert.equal(held("StringEquals", []), false);
    assert.equal(isHeldBy(one({}), key), false);
  });

  it("escalates by a pattern that covers such an action too", () => {
    assert.deepEqual(escalations(one({ Action: "iam:Pass*" })), ["iam:PassRole"]);
    assert.deepEqual(escalations(one({ Action: ["ecr:GetAuthorizationToken", "kms:Decrypt"] })), []);
    assert.ok(escalations(one({ Action: "*" })).length > 30);
  });
});

describe("The named wildcards", () => {
  it("are of one action each, and of streams of one log group", () => {
    assert.equal(isNamedWildcard("ecr:GetAuthorizationToken", "*"), true);
    assert.equal(isNamedWildcard("ecr:BatchGetImage", "*"), false);
    const group = "arn:aws:logs:eu-west-2:123456789012:log-group:service";
    assert.equal(isNamedWildcard("logs:PutLogEvents", `${group}:*`), true);
    assert.equal(isNamedWildcard("logs:PutLogEvents", `${group}*`), false);
    assert.equal(isNamedWildcard("logs:PutLogEvents", "arn:aws:logs:*:123456789012:log-group:service:*"), false);
    assert.equal(isNamedWildcard("logs:GetLogEvents", `${group}:*`), false);
  });
});
