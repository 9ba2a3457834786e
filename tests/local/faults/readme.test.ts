import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { definitionOf, FAULT_NAMES } from "../../../local/faults/catalogue.ts";

describe("README.md", () => {
  it("has a table of every fault, what it stands for, and its parameters with range and default", async () => {
    const rows = FAULT_NAMES.map((name) => {
      const { standsFor, parameters } = definitionOf(name);
      const cells = Object.entries(parameters).map(([parameter, { min, max, default: usual, meaning }]) =>
        // The same for every fault that has one: said once, above the table.
        parameter === "durationMs" ? "`durationMs`" : `\`${parameter}\` ${min} to ${max} (${usual}): ${meaning}`,
      );
      return `| \`${name}\` | ${standsFor} | ${cells.join("; ")} |`;
    });
    const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
    const [, table = ""] = /\| fault \|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(readme) ?? [];
    assert.deepEqual(table.trimEnd().split("\n"), rows);
    assert.match(readme, /`durationMs` 1 to 3600000 milliseconds \(10000\)/);
  });
});
