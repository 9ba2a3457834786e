import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { COMMAND } from "./document.ts";
import { DOCUMENT, documentOf, wrongsOfRow } from "./findings.ts";
import { type Matrix, runMatrix } from "./matrix.ts";
import { ROWS } from "./rows.ts";
import { SITUATIONS } from "./situations.ts";

describe("The fault matrix", function () {
  this.timeout(120_000);
  let matrix: Matrix;
  before(async () => {
    matrix = await runMatrix();
  });

  for (const row of ROWS) {
    it(`${row.id}: tells every caller the truth, executes nothing twice, serves again, and leaves nothing`, () => {
      const result = matrix.results.get(row);
      assert.deepEqual(wrongsOfRow(row, result), []);
      assert.ok(result && !(result instanceof Error));
      assert.deepEqual(
        result.cells.map(({ situation }) => situation),
        SITUATIONS.map(({ name }) => name),
      );
      assert.ok(result.cells.every(({ answers }) => answers.length > 0));
    });
  }

  it("gives Node no cause for a warning", () => {
    assert.deepEqual(matrix.warnings, []);
  });

  it("is what docs/faults.md says", async () => {
    const committed = await readFile(DOCUMENT, "utf8").catch(() => "");
    assert.equal(
      documentOf(matrix),
      committed,
      `What was seen is not what docs/faults.md says. If the change is meant: ${COMMAND}`,
    );
  });
});
