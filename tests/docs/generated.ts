import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";

/** Set by `npm run docs`: sections that differ are written instead of failing the test. */
const WRITE = process.env.WRITE_DOCS === "1";

/** Holds the part of a page between `<!-- name -->` and `<!-- /name -->` to what the code says. */
export async function checkSection(page: string, name: string, lines: readonly string[]): Promise<void> {
  const url = new URL(`../../docs/${page}`, import.meta.url);
  const text = await readFile(url, "utf8");
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const start = text.indexOf(opening);
  const end = text.indexOf(closing);
  assert.ok(start >= 0 && end > start, `docs/${page} has no section ${opening} … ${closing}`);
  const generated = `${opening}\n\n${lines.join("\n")}\n\n${closing}`;
  if (text.slice(start, end + closing.length) === generated) return;
  if (!WRITE) assert.fail(`docs/${page}, section ${name}, is not what the code says: run \`npm run docs\``);
  await writeFile(url, text.slice(0, start) + generated + text.slice(end + closing.length));
}
