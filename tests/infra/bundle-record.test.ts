import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { recordBundle, recordedBundle } from "../../infra/bundle-record.ts";

const HASH = "0123456789abcdef0123";

describe("The record of the last bundle", () => {
  let root: string;
  let file: string;
  const build = { identity: "one", sources: ["app/main.ts", "app/server.ts"], hash: HASH };

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "bundle-record-"));
    file = path.join(root, ".build/bundle.json");
    mkdirSync(path.join(root, "app"));
    writeFileSync(path.join(root, "app/main.ts"), "main");
    writeFileSync(path.join(root, "app/server.ts"), "server");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function recorded(identity = "one") {
    return recordedBundle(file, root, identity);
  }

  it("says what the same sources, built in the same way, came to", () => {
    assert.equal(recorded(), undefined);
    recordBundle(file, root, build);
    assert.equal(recorded()?.hash, HASH);
    assert.deepEqual(Object.keys(recorded()?.sources ?? {}), build.sources);
    assert.deepEqual(readdirSync(path.dirname(file)), ["bundle.json"]);
  });

  it("says nothing of another way to build", () => {
    recordBundle(file, root, build);
    assert.equal(recorded("two"), undefined);
  });

  it("sees another content although size and time are the same", () => {
    recordBundle(file, root, build);
    const source = path.join(root, "app/main.ts");
    const { atime, mtime } = statSync(source);
    writeFileSync(source, "niam");
    utimesSync(source, atime, mtime);
    assert.equal(recorded(), undefined);
    writeFileSync(source, "main");
    assert.equal(recorded()?.hash, HASH, "the content alone counts");
  });

  it("says nothing when a source is gone", () => {
    recordBundle(file, root, build);
    rmSync(path.join(root, "app/server.ts"));
    assert.equal(recorded(), undefined);
  });

  it("is not kept when a source cannot be read, and keeps the one before", () => {
    recordBundle(file, root, { ...build, sources: ["app/missing.ts"] });
    assert.equal(recorded(), undefined);
    recordBundle(file, root, build);
    recordBundle(file, root, { ...build, hash: "f".repeat(20), sources: ["app/missing.ts"] });
    assert.equal(recorded()?.hash, HASH);
  });

  it("is not kept, without an error, where nothing can be written", () => {
    writeFileSync(path.join(root, ".build"), "a file");
    recordBundle(file, root, build);
    assert.equal(recorded(), undefined);
  });

  for (const [what, content] of [
    ["half of one", (text: string) => text.slice(0, 40)],
    ["nothing", () => ""],
    ["no object", () => "7"],
    ["null", () => "null"],
    ["one without sources", () => JSON.stringify({ identity: "one", sources: {}, hash: HASH })],
    ["one that names another folder", (text: string) => text.replace(HASH, "../../somewhere")],
  ] as const) {
    it(`is as good as missing when it holds ${what}`, () => {
      recordBundle(file, root, build);
      writeFileSync(file, content(readFileSync(file, "utf8")));
      assert.equal(recorded(), undefined);
    });
  }
});
