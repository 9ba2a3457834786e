import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { evaluate, type Program } from "../../../local/program.ts";
import { programOf, STACKS } from "../declared-program.ts";
import { givenNames, MADE_NAMES, NAME_RULES, unknownNames } from "./names.ts";

/** A stack's name holds 100 characters at most: letters, digits, hyphens, underscores, periods. */
const LONG = "feature.payments_2026.".padEnd(99, "x");

const named = new Map<string, Promise<Program>>();

/** The staging program under another name of the stack. */
function under(stackName: string): Promise<Program> {
  const program = named.get(stackName) ?? evaluate("staging", { stackName });
  named.set(stackName, program);
  return program;
}

const PROGRAMS: readonly (readonly [says: string, program: () => Promise<Program>])[] = [
  ...STACKS.map((stack) => [stack, () => programOf(stack)] as const),
  ["a stack of a hundred characters and dots", () => under(`${LONG}1`)],
  ["a stack of one letter", () => under("a")],
];

for (const [says, program] of PROGRAMS) {
  describe(`The names of ${says}`, () => {
    it("are each within AWS's limit and of the form that it takes", async () => {
      const names = givenNames(await program());
      assert.ok(names.length > 25, `only ${names.length} names`);
      for (const { resource, rule, name } of names) {
        const what = `${resource.type} ${resource.name}: ${rule.property} "${name}" (${name.length}), see ${rule.page}`;
        assert.ok(name.length <= rule.limit, what);
        assert.match(name, rule.form, what);
      }
    });

    it("leave out none that the program gives", async () => {
      assert.deepEqual(unknownNames(await program()), []);
    });

    it("that Pulumi makes are within AWS's limits too", async () => {
      const made = (await program()).resources.filter(({ type }) => type in MADE_NAMES);
      assert.ok(made.length > 15);
      for (const { type, name, inputs } of made) {
        if ("name" in inputs || "bucket" in inputs) continue;
        const [limit, page] = MADE_NAMES[type] ?? [0, ""];
        assert.ok(`${name}-1234567`.length <= limit, `${type} ${name}: at most ${limit} characters, see ${page}`);
      }
    });
  });
}

/** Stacks that may stand in one account, and whose names are alike when they are cut or cleaned. */
const PAIRS: readonly (readonly [says: string, one: () => Promise<Program>, other: () => Promise<Program>])[] = [
  ["production and staging", () => programOf("production"), () => programOf("staging")],
  ["stacks that share all but the last of a hundred characters", () => under(`${LONG}1`), () => under(`${LONG}2`)],
  ["stacks that share their first sixty", () => under("s".repeat(61)), () => under(`${"s".repeat(60)}.prod`)],
  ["stacks that differ in a dot", () => under("eu.west"), () => under("eu-west")],
  ["stacks that differ in case", () => under("Orders"), () => under("orders")],
];

describe("Two stacks in one account", () => {
  for (const [says, one, other] of PAIRS) {
    it(`have no name in common: ${says}`, async () => {
      const namesOf = async (program: () => Promise<Program>) =>
        givenNames(await program())
          .filter(({ rule }) => rule.unique)
          .map(({ rule, name }) => `${rule.type} ${rule.property} ${name}`);
      const [mine, theirs] = [await namesOf(one), new Set(await namesOf(other))];
      assert.ok(mine.length > 20);
      assert.deepEqual(
        mine.filter((name) => theirs.has(name)),
        [],
      );
    });
  }
});

describe("One stack", () => {
  for (const stack of STACKS) {
    it(`gives no name twice (${stack})`, async () => {
      const names = givenNames(await programOf(stack))
        .filter(({ rule }) => rule.unique)
        .map(({ rule, name }) => `${rule.type} ${rule.property} ${name}`);
      assert.equal(new Set(names).size, names.length);
    });
  }

  it("is held to no rule that nothing falls under", async () => {
    const used = new Set(givenNames(await programOf("production")).map(({ rule }) => rule));
    assert.deepEqual(
      NAME_RULES.filter((rule) => !used.has(rule)),
      [],
    );
  });
});
