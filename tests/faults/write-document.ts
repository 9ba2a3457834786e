import { mkdir, writeFile } from "node:fs/promises";
import { DOCUMENT, documentOf, wrongsOf } from "./findings.ts";
import { runMatrix } from "./matrix.ts";

/** `npm run docs:faults`: runs the matrix and writes what it saw, unless something is wrong that no document may hold. */
const matrix = await runMatrix();
const wrongs = wrongsOf(matrix);
if (wrongs.length > 0) {
  process.stderr.write(`docs/faults.md is left as it is:\n${wrongs.join("\n")}\n`);
  process.exitCode = 1;
} else {
  await mkdir(new URL(".", DOCUMENT), { recursive: true });
  await writeFile(DOCUMENT, documentOf(matrix));
}
