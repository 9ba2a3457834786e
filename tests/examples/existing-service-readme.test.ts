import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { parse } from "yaml";

const FOLDER = new URL("../../examples/existing-service/", import.meta.url);

describe("The README of the example", () => {
  it("names every key of its configuration, and sets those that have no default", async () => {
    const readme = await readFile(new URL("README.md", FOLDER), "utf8");
    const { config } = parse(await readFile(new URL("Pulumi.yaml", FOLDER), "utf8")) as {
      readonly config: Readonly<Record<string, { readonly default?: unknown }>>;
    };
    const own = Object.entries(config).filter(([key]) => !key.startsWith("aws:"));
    assert.equal(own.length, 7);
    for (const [name, { default: usual }] of own) {
      assert.ok(readme.includes(`\`${name}\``), `${name} is not explained`);
      if (usual === undefined) assert.match(readme, new RegExp(`pulumi config set ${name} `));
    }
  });

  it("links files that there are", async () => {
    const readme = await readFile(new URL("README.md", FOLDER), "utf8");
    const links = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)/g)].map(([, path = ""]) => path);
    assert.ok(links.length >= 2);
    for (const path of links) await readFile(new URL(path, FOLDER));
  });
});
