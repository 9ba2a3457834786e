import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { UNKNOWN } from "../../../local/awsx/composition.ts";
import { Account } from "../../../local/engine/account.ts";
import { MUTABILITY } from "../../../local/engine/replacement.ts";
import { checked, create, difference, foreseen, remove, update } from "../../../local/engine/resource-operations.ts";
import { programOf, STACKS } from "../../infra/declared-program.ts";

const PLACE = { partition: "aws", dnsSuffix: "amazonaws.com", region: "eu-west-2", accountId: "123456789012" };

function urn(type: string, name = "thing", stack = "staging"): string {
  return `urn:pulumi:${stack}::project::project:infra:Component$${type}::${name}`;
}

const ROLE = urn("aws:iam/role:Role");
const TASK = urn("aws:ecs/taskDefinition:TaskDefinition");
const [ONE_SEED, OTHER_SEED] = [new Uint8Array(32).fill(0xab), new Uint8Array(32).fill(0xcd)];

describe("What stands in for AWS's providers", () => {
  for (const stack of STACKS) {
    it(`knows of each type that ${stack} declares what replaces it`, async () => {
      const { resources } = await programOf(stack);
      const types = new Set(resources.filter(({ custom }) => custom).map(({ type }) => type));
      assert.deepEqual(
        [...types].filter((type) => MUTABILITY[type] === undefined),
        [],
      );
    });
  }

  it("makes up a name once, keeps it, and makes up another for a replacement", () => {
    const first = checked(ROLE, {}, undefined, ONE_SEED);
    assert.equal(first.name, "thing-abababa");
    assert.equal(checked(ROLE, {}, first, OTHER_SEED).name, first.name);
    assert.equal(checked(ROLE, {}, undefined, OTHER_SEED).name, "thing-cdcdcdc");
    assert.deepEqual(checked(ROLE, { name: "own" }, first, OTHER_SEED), { name: "own" });
    assert.deepEqual(checked(TASK, { cpu: "256" }, undefined, ONE_SEED), { cpu: "256" });
  });

  it("tells what differs, and what of it needs another resource", () => {
    const told = difference(
      ROLE,
      { name: "a", path: "/x/", description: "d" },
      { description: "e", path: "/y/", name: "a" },
    );
    assert.deepEqual([told.changed, told.replacing], [["path", "description"], ["path"]]);
    assert.deepEqual(difference(ROLE, { a: { b: 1, c: [2] } }, { a: { c: [2], b: 1 } }).changed, []);
    assert.deepEqual(difference(ROLE, {}, { tags: {} }).replacing, []);
  });

  it("deletes first only what is replaced under a name that the program gave", () => {
    const first = (old: object, inputs: object) => difference(ROLE, { ...old }, { ...inputs }).deleteBeforeReplace;
    assert.equal(first({ name: "own", path: "/x/" }, { name: "own", path: "/y/" }), true);
    assert.equal(first({ name: "own", path: "/x/" }, { name: "other", path: "/y/" }), false);
    assert.equal(first({ name: "own", path: "/x/" }, { name: "own", path: "/x/", tags: {} }), false);
    const made = checked(ROLE, { path: "/x/" }, undefined, ONE_SEED);
    assert.equal(first(made, checked(ROLE, { path: "/y/" }, made, ONE_SEED)), false);
  });

  it("foresees which outputs there will be, and none of their values", () => {
    const known = foreseen(ROLE, { name: "own" }, PLACE, new Account());
    assert.deepEqual([known.name, known.arn], ["own", UNKNOWN]);
  });

  it("gives each successor of a task definition another revision, and each stack ids of its own", async () => {
    const account = new Account();
    const arns = [];
    for (let i = 0; i < 2; i++) arns.push((await create(TASK, { family: "f" }, PLACE, account)).properties.arn);
    assert.deepEqual(
      arns,
      [1, 2].map((revision) => `arn:aws:ecs:eu-west-2:123456789012:task-definition/f:${revision}`),
    );
    const group = "aws:ec2/securityGroup:SecurityGroup";
    const ids = await Promise.all(
      ["staging", "other"].map(
        async (stack) => (await create(urn(group, "g", stack), { name: stack }, PLACE, account)).id,
      ),
    );
    assert.notEqual(ids[0], ids[1]);
  });

  it("refuses a name that is taken, as AWS does, until it is free again", async () => {
    const account = new Account();
    const { id, properties } = await create(ROLE, { name: "own" }, PLACE, account);
    const again = () => create(urn("aws:iam/role:Role", "other"), { name: "own" }, PLACE, account);
    await assert.rejects(again, /AlreadyExists: aws:iam\/role:Role arn:aws:iam::123456789012:role\/own stands/);
    await remove(ROLE, id, properties, account);
    await again();
    assert.equal(account.standing.size, 1);
  });

  it("logs what was done and what failed, in order, and makes nothing of what is not known", async () => {
    const account = new Account();
    const { id, properties } = await create(ROLE, { name: "own" }, PLACE, account);
    account.interference = () => {
      throw new Error("Throttling");
    };
    await assert.rejects(update(ROLE, id, properties, { name: "own", description: "d" }, account), /Throttling/);
    account.interference = undefined;
    await assert.rejects(create(TASK, { family: UNKNOWN }, PLACE, account), /not known/);
    assert.deepEqual(
      account.operations.map(({ verb, type, begun, ended, failure }) => [
        verb,
        type.split(":").at(-1),
        begun,
        ended,
        failure,
      ]),
      [
        ["create", "Role", 0, 1, undefined],
        ["update", "Role", 2, 3, "Throttling"],
        ["create", "TaskDefinition", 4, 5, `${TASK} is to be made of inputs that are not known`],
      ],
    );
  });

  it("says what to add for a type that it does not know", () => {
    assert.throws(
      () => difference(urn("aws:sqs/queue:Queue"), {}, {}),
      /what replaces a aws:sqs\/queue:Queue: add it to MUTABILITY/,
    );
  });
});
