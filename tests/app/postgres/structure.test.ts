import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { describe, it } from "mocha";
import ts from "typescript";

const FOLDER = new URL("../../../app/postgres/", import.meta.url);
/** What docs/pool.md tells whoever copies the folder to install. */
const PACKAGES = ["@aws-sdk/credential-providers", "@aws-sdk/rds-signer", "@opentelemetry/api", "pg"];

const files = readdirSync(FOLDER);
const read = (file: string) => readFileSync(new URL(file, FOLDER), "utf8");
const importsOf = (file: string) => ts.preProcessFile(read(file), true, true).importedFiles.map((i) => i.fileName);

describe("app/postgres/, which others copy as it is,", () => {
  it("is one folder of TypeScript files, none above 250 lines", () => {
    assert.ok(files.length > 20 && files.every((file) => file.endsWith(".ts")), files.join(", "));
    const long = files.map((file) => ({ file, lines: read(file).trimEnd().split("\n").length }));
    assert.deepEqual(
      long.filter(({ lines }) => lines > 250),
      [],
    );
  });

  it("imports its own files, what Node has, and the packages that its page names: nothing else of this repository", () => {
    const imported = files.flatMap((file) => importsOf(file).map((name) => ({ file, name })));
    const [own, others] = [imported.filter(({ name }) => name.startsWith(".")), new Set<string>()];
    for (const { file, name } of own) {
      assert.ok(name.startsWith("./") && files.includes(name.slice(2)), `${file} imports ${name}`);
    }
    for (const { name } of imported) if (!name.startsWith(".") && !isBuiltin(name)) others.add(name);
    assert.deepEqual([...others].sort(), PACKAGES);
    assert.ok(own.length > files.length);
    const page = readFileSync(new URL("../../../docs/pool.md", import.meta.url), "utf8");
    for (const name of PACKAGES) assert.ok(page.includes(`\`${name}\``), name);
  });
});
