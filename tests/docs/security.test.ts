import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { CONTROL_GROUPS, CONTROLS } from "../../policy/controls.ts";
import { EXCEPTIONS } from "../../policy/exceptions.ts";
import { NAMED_WILDCARDS } from "../../policy/iam/named-wildcards.ts";
import { scorecardRows } from "../../policy/report.ts";
import { programOf } from "../infra/declared-program.ts";
import { judged } from "../policy/judged.ts";
import { checkSection } from "./generated.ts";

/** Text in a cell of a table: a bar would end it. */
const cell = (text: string) => text.replaceAll("|", "\\|");

describe("docs/security.md", () => {
  it("has every control with what it asks, who asks for it, on which resource, and how production stands", async () => {
    const rows = scorecardRows(judged(await programOf("production"), "production"));
    const lines = CONTROL_GROUPS.flatMap(([group, controls], index) => [
      ...(index === 0 ? [] : [""]),
      `### ${group}`,
      "",
      "| control | what holds | asked by | resource | result |",
      "|---|---|---|---|---|",
      ...controls.flatMap(({ id, title, sources }) =>
        rows
          .filter(({ control }) => control === id)
          .map(
            ({ resource, status }) =>
              `| \`${id}\` | ${cell(title)} | ${cell(sources.join(", "))} | ${resource} | ${status} |`,
          ),
      ),
    ]);
    for (const { id } of CONTROLS) assert.equal(lines.filter((line) => line.startsWith(`| \`${id}\` |`)).length, 1, id);
    await checkSection("security.md", "controls", lines);
  });

  it("has what staging may do without", async () => {
    const rows = CONTROLS.filter(({ staging }) => staging !== undefined).map(
      ({ id, title, staging }) => `| \`${id}\` | ${cell(title)} | ${cell(staging ?? "")} |`,
    );
    assert.ok(rows.length >= 8);
    await checkSection("security.md", "staging", ["| control | production | staging |", "|---|---|---|", ...rows]);
  });

  it("has every exception with its reason, what makes up for it, and its day", async () => {
    const rows = EXCEPTIONS.map(
      ({ control, resource, reason, compensating, reviewBy }) =>
        `| \`${control}\` | ${resource} | ${cell(reason)} | ${cell(compensating)} | ${reviewBy} |`,
    );
    assert.ok(rows.length > 0);
    await checkSection("security.md", "exceptions", [
      "| control | resource | why | what makes up for it | review by |",
      "|---|---|---|---|---|",
      ...rows,
    ]);
  });

  it("has every wildcard that a policy may have", async () => {
    const rows = NAMED_WILDCARDS.map(
      ({ action, resource, reason }) => `| \`${action}\` | \`${resource}\` | ${cell(reason)} |`,
    );
    await checkSection("security.md", "wildcards", ["| action | resource | why |", "|---|---|---|", ...rows]);
  });
});
