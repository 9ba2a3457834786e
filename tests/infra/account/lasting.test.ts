import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { evaluate } from "../../../local/program.ts";
import { programOf, STACKS } from "../declared-program.ts";
import { LASTING, lost, unlisted } from "./lasting.ts";

describe("What holds data or an address", () => {
  for (const stack of STACKS) {
    it(`is declared under the name that it always had, or under an alias that tells it (${stack})`, async () => {
      const missing = lost(await programOf(stack));
      assert.deepEqual(missing, [], "a rename needs an alias, or the engine deletes what was there");
    });

    it(`is on the list of what may never be made anew by a rename (${stack})`, async () => {
      const missing = unlisted(await programOf(stack));
      assert.deepEqual(missing, [], "a new resource of this kind needs a line in tests/infra/account/lasting.ts");
    });
  }

  it("is on the list once, in order", () => {
    assert.deepEqual(LASTING, [...new Set(LASTING)].sort());
  });
});

describe("A rename", () => {
  const STORE = "passwordless-postgres:infra:Store$aws:kms/key:Key";
  const renamed = () => evaluate("staging", { entry: new URL("../fixtures/renamed.ts", import.meta.url) });

  it("is seen where no alias tells it", async () => {
    assert.deepEqual(lost(await renamed(), [`${STORE}::formerly-forgotten-key`]), [`${STORE}::formerly-forgotten-key`]);
  });

  it("is no loss with an alias of the resource or of its component, by name or by URN", async () => {
    const former = [`${STORE}::formerly-kept-key`, `${STORE}::moved-key`, "aws:kms/key:Key::formerly-by-name"];
    assert.deepEqual(lost(await renamed(), former), []);
  });

  it("makes nothing new of what the list knows under its former name", async () => {
    const former = [`${STORE}::formerly-kept-key`, `${STORE}::moved-key`, "aws:kms/key:Key::formerly-by-name"];
    assert.deepEqual(unlisted(await renamed(), former), [`${STORE}::forgotten-key`]);
  });
});
