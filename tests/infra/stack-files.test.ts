import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { PROGRAM_FOLDER } from "../../local/program/configuration.ts";
import { evaluate } from "../../local/program.ts";
import { only, PROJECT, programOf, STACKS } from "./declared-program.ts";

interface Declaration {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly items?: { readonly type?: string };
}

function configOf(file: string): Readonly<Record<string, unknown>> {
  const { config } = parse(readFileSync(new URL(file, PROGRAM_FOLDER), "utf8")) as { config: Record<string, unknown> };
  return config;
}

/** A key of the project itself has no namespace, so that a copy of the project may have another name. */
function isOwn(key: string): boolean {
  return !key.includes(":");
}

const declared = new Map(
  Object.entries(configOf("Pulumi.yaml"))
    .filter(([key]) => isOwn(key))
    .map(([key, declaration]) => [key, declaration as Declaration]),
);

/** Whether a value is of a type that Pulumi.yaml names. */
const IS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  array: Array.isArray,
};

/** Every key that a module under infra/ asks the reader for, as its source spells it. */
function keysThatAreRead(): readonly string[] {
  const folder = new URL("infra/config/", PROGRAM_FOLDER);
  const files = [new URL("../config.ts", folder), ...readdirSync(folder).map((file) => new URL(file, folder))];
  const source = files.map((file) => readFileSync(file, "utf8")).join("\n");
  return [...source.matchAll(/read\.(?:text|choice|integer|flag|list)\(\s*"(\w+)"/g)].map(([, key = ""]) => key);
}

describe("Pulumi.yaml", () => {
  for (const [key, declaration] of declared) {
    it(`types and describes ${key} and gives it a default of its type`, () => {
      const { type = "", description = "", default: value, items } = declaration;
      assert.ok(Object.hasOwn(IS, type), `type ${type}`);
      assert.ok(IS[type]?.(value), `the default ${JSON.stringify(value)} is not of type ${type}`);
      assert.ok(description.length > 15 && description.endsWith("."), description);
      if (type === "array") assert.equal(items?.type, "string");
    });
  }

  it("declares exactly the keys that the program reads, each of them once", () => {
    const read = keysThatAreRead();
    assert.equal(new Set(read).size, read.length);
    assert.deepEqual([...read].sort(), [...declared.keys()].sort());
  });

  it("tags the stacks that have no file of their own too", () => {
    assert.deepEqual(configOf("Pulumi.yaml")["aws:defaultTags"], {
      value: { tags: { Project: "passwordless-postgres", ManagedBy: "Pulumi" } },
    });
  });

  it("holds no key that asks for a password", () => {
    const suspicious = [...declared.keys()].filter((key) => /password|secret|token|credential/i.test(key));
    assert.deepEqual(suspicious, []);
  });
});

for (const stack of STACKS) {
  describe(`The file of stack ${stack}`, () => {
    const own = configOf(`Pulumi.${stack}.yaml`);

    it("holds only keys that Pulumi.yaml declares, of their types", () => {
      for (const [key, value] of Object.entries(own).filter(([name]) => isOwn(name))) {
        const { type = "" } = declared.get(key) ?? {};
        assert.ok(IS[type]?.(value), `${key} is ${JSON.stringify(value)}, of type ${type || "unknown"}`);
      }
      const others = Object.keys(own).filter((key) => !isOwn(key));
      assert.deepEqual(others.sort(), [
        ...(stack === "production" ? ["aws:allowedAccountIds"] : []),
        "aws:defaultTags",
      ]);
    });

    it("tags everything with whose it is, of which stack, and what manages it", () => {
      const tags = { Project: "passwordless-postgres", Environment: stack, ManagedBy: "Pulumi" };
      assert.deepEqual(own["aws:defaultTags"], { tags });
    });

    it("leaves no provider out of that: what is declared is made by the providers that read it", async () => {
      const { resources } = await programOf(stack);
      assert.deepEqual(
        resources.filter(({ type }) => type.startsWith("pulumi:providers:")),
        [],
      );
      // What awsx makes has tags of its own beside them, none of which takes their place.
      const keys = resources.flatMap(({ inputs }) => Object.keys((inputs.tags as object | undefined) ?? {}));
      assert.deepEqual(
        keys.filter((key) => ["Project", "Environment", "ManagedBy"].includes(key)),
        [],
      );
    });

    it("holds differences only", () => {
      const same = Object.entries(own).filter(
        ([key, value]) => JSON.stringify(declared.get(key)?.default) === JSON.stringify(value),
      );
      assert.deepEqual(same, []);
    });
  });
}

describe("The stack files", () => {
  it("are those of the stacks that are tested", () => {
    const files = readdirSync(PROGRAM_FOLDER).filter((file) => /^Pulumi\..+\.yaml$/.test(file));
    assert.deepEqual(files.sort(), STACKS.map((stack) => `Pulumi.${stack}.yaml`).sort());
  });

  it("keep production to one account, where the program then believes to be", async () => {
    const accounts = configOf("Pulumi.production.yaml")["aws:allowedAccountIds"] as readonly string[];
    assert.equal(accounts.length, 1);
    assert.match(accounts[0] ?? "", /^\d{12}$/);
    assert.equal((await programOf("production")).place.accountId, accounts[0]);
  });

  it("give each stack its own values, in whichever order one process evaluates them", async () => {
    const facts = async (stack: string) => {
      const program = await evaluate(stack);
      return [
        only(program, "Instance").inputs.multiAz,
        only(program, "Target").inputs.maxCapacity,
        only(program, "LogGroup", "service").inputs.retentionInDays,
        only(program, "TaskDefinition").inputs.family,
      ];
    };
    const production = [true, 10, 365, `${PROJECT}-production-service`];
    const staging = [false, 2, 30, `${PROJECT}-staging-service`];
    for (const [stack, expected] of [
      ["production", production],
      ["staging", staging],
      ["production", production],
    ] as const) {
      assert.deepEqual(await facts(stack), expected);
    }
    assert.deepEqual(await Promise.all([facts("staging"), facts("production")]), [staging, production]);
  });

  it("are read by infra/config.ts alone, and not before the program runs", () => {
    const folder = new URL("infra/", PROGRAM_FOLDER);
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    )) {
      const source = readFileSync(new URL(file, folder), "utf8");
      const reads = source.match(/new pulumi\.Config\(|pulumi\.runtime\.getConfig|process\.env/g) ?? [];
      assert.equal(reads.length, file === "config.ts" ? 1 : 0, file);
    }
  });
});
