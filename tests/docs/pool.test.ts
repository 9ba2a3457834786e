import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import ts from "typescript";
import { RULES } from "../../app/postgres/establishment.ts";
import * as exported from "../../app/postgres/index.ts";
import { RANGES } from "../../app/postgres/option-checks.ts";
import { limitsOf } from "../../app/postgres/options.ts";
import { checkSection } from "./generated.ts";

const SOURCES = new URL("../../app/postgres/", import.meta.url);
const read = (file: string) => readFile(new URL(file, SOURCES), "utf8");

describe("docs/pool.md", () => {
  it("has every option with its default, its range and what its doc comment says", async () => {
    const defaults: Readonly<Record<string, unknown>> = {
      ...limitsOf({ host: "", user: "", database: "", region: "" }),
    };
    const rows = (await documented("options.ts", "RdsIamPoolOptions")).map(({ name, optional, text }) => {
      const range = RANGES[name];
      const number = name === "port" ? String : grouped;
      const upTo = range?.to === Number.MAX_SAFE_INTEGER ? "" : ` to ${number(range?.to ?? 0)}`;
      const span = range ? `${number(range.from)}${upTo || " or more"}` : "–";
      const [, usual = "required"] = DEFAULT.exec(text) ?? [];
      const known = defaults[name];
      if (typeof known === "number")
        assert.equal(usual, number(known), `The doc comment of '${name}' has another default`);
      assert.equal(usual === "required", !optional, `The doc comment of '${name}' has no default`);
      // Both have a column of their own.
      const meaning = text.replace(DEFAULT, "").replace(` ${span}.`, "");
      return `| \`${name}\` | ${usual} | ${span} | ${meaning} |`;
    });
    assert.ok(rows.length > 25);
    await checkSection("pool.md", "options", ["| option | default | range | meaning |", "|---|---|---|---|", ...rows]);
  });

  it("has every reason with what can be behind it", async () => {
    const rows = RULES.map(
      ({ reason, retry, causes }) => `| \`${reason}\` | ${retry ? "yes" : "no"} | ${causes.join("; or ") || "–"} |`,
    );
    await checkSection("pool.md", "reasons", [
      "| reason | retried | what can be behind it |",
      "|---|---|---|",
      ...rows,
    ]);
  });

  it("says of every code and class of error what to do", async () => {
    const page = await readFile(new URL("../../docs/pool.md", import.meta.url), "utf8");
    const codes = [...(await read("errors.ts")).matchAll(/^ \* - `([A-Z_]+)`:/gm)].map(([, code]) => code ?? "");
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (.*) \| (.*) \| (.*) \|$/gm)];
    assert.deepEqual(rows.map(([, code]) => code).sort(), codes.sort());
    const classes = Object.keys(exported).filter((name) => name.endsWith("Error"));
    assert.ok(classes.length > 3);
    for (const name of classes) assert.ok(page.includes(`\`${name}\``), `${name} is missing`);
  });

  it("has every event of the log, as its own doc comment has it", async () => {
    const page = await readFile(new URL("../../docs/pool.md", import.meta.url), "utf8");
    const events = [...(await read("event-log.ts")).matchAll(/^ \* \| (info|warn|error) \| (\S+) \|/gm)];
    assert.ok(events.length >= 6);
    for (const [, level, code] of events) assert.ok(page.includes(`| ${level} | ${code} |`), `${level} ${code}`);
  });

  it("has every metric and every channel, and no other", async () => {
    const page = await readFile(new URL("../../docs/pool.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| ((?:`[a-z._]+`(?:, )?)+) \| (?:observed|counter|histogram) \|/gm)];
    const documented = rows.flatMap(([, names = ""]) => names.replaceAll("`", "").split(", "));
    const metrics = [
      ...(await read("metrics.ts")).matchAll(/"(?:db\.client\.connection\.|rds_iam_pool\.)?([a-z._]+)",?\s/g),
    ];
    for (const name of documented)
      assert.ok(
        metrics.some(([, found]) => found === name),
        `${name} is no metric`,
      );
    assert.equal(documented.length, 13);
    const channels = [...(await read("channels.ts")).matchAll(/readonly "(rds-iam-pool:[a-z]+)"/g)].map(
      ([, name]) => name,
    );
    assert.deepEqual(
      [...page.matchAll(/^\| `(rds-iam-pool:[a-z]+)` \|/gm)].map(([, name]) => name),
      channels,
    );
  });

  it("names only tests that there are", async () => {
    const page = await readFile(new URL("../../docs/pool.md", import.meta.url), "utf8");
    const named = new Set([...page.matchAll(/`((?:traps|drop-in)\/[a-z-]+|credentials)`/g)].map(([, name]) => name));
    assert.ok(named.size >= 7);
    for (const name of named) await readFile(new URL(`../app/postgres/${name}.test.ts`, import.meta.url));
  });
});

/** How a doc comment says it: "; 10 by default". */
const DEFAULT = /; ([^;]+) by default/;

const grouped = (value: number) => value.toLocaleString("en-US");

/** The members of an interface, in their order, with the text of their doc comments. */
async function documented(file: string, name: string) {
  const source = ts.createSourceFile(file, await read(file), ts.ScriptTarget.Latest, true);
  const declaration = source.statements.find(
    (node): node is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(node) && node.name.text === name,
  );
  assert.ok(declaration);
  return declaration.members.map((member) => {
    const text = ts
      .getJSDocCommentsAndTags(member)
      .map((comment) => ts.getTextOfJSDocComment(comment.comment) ?? "")
      .join(" ");
    const optional = member.questionToken !== undefined;
    return { name: member.name?.getText(source) ?? "", optional, text: text.replaceAll(/\s+/g, " ").trim() };
  });
}
