import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ofType, programOf, STACKS } from "./declared-program.ts";

describe("The permissions boundary", () => {
  for (const stack of STACKS) {
    it(`is on no role unless one is configured (${stack})`, async () => {
      const roles = ofType(await programOf(stack), "Role");
      assert.ok(roles.length > 0);
      for (const { name, inputs } of roles) assert.equal("permissionsBoundary" in inputs, false, name);
    });

    it(`is on every role when one is configured, and changes nothing else (${stack})`, async () => {
      const boundary = "arn:aws:iam::123456789012:policy/platform/boundary";
      const bounded = ofType(await programOf(stack, { permissionsBoundaryArn: boundary }), "Role");
      const unbounded = ofType(await programOf(stack), "Role");
      assert.deepEqual(
        bounded.map(({ name, inputs }) => ({ name, inputs })),
        unbounded.map(({ name, inputs }) => ({ name, inputs: { ...inputs, permissionsBoundary: boundary } })),
      );
    });
  }
});
