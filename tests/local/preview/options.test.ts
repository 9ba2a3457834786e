import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { UsageError } from "../../../local/command.ts";
import { parsePreviewOptions } from "../../../local/preview/options.ts";

describe("The options of the preview", () => {
  it("are production from nothing, as text, where nothing is said", () => {
    assert.deepEqual(parsePreviewOptions([]), {
      stack: "production",
      against: undefined,
      pulumi: undefined,
      help: false,
      config: {},
      output: "text",
    });
  });

  it("name a stack, a revision, configuration and a form", () => {
    const args = ["--stack", "staging", "--against", "main", "--config", "a=b=c", "--config", "d=", "--markdown"];
    const { stack, against, config, output } = parsePreviewOptions(args);
    assert.deepEqual([stack, against, config, output], ["staging", "main", { a: "b=c", d: "" }, "markdown"]);
  });

  for (const [what, args, told] of [
    ["two forms at once", ["--json", "--diff"], /--diff --json; allowed: one of them/],
    ["configuration without a value", ["--config", "a"], /--config a; allowed: KEY=VALUE/],
    ["an empty revision", ["--against", ""], /--against is empty/],
    ["a word too many", ["production"], /Unexpected argument 'production'/],
    ["an option that there is not", ["--up"], /Unknown option '--up'/],
  ] as const) {
    it(`refuse ${what}, and say what is allowed`, () => {
      assert.throws(
        () => parsePreviewOptions([...args]),
        (error) =>
          error instanceof UsageError && told.test(error.message) && /Usage: npm run preview/.test(error.message),
      );
    });
  }
});
