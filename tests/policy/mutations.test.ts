import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { CONTROLS } from "../../policy/controls.ts";
import { programOf } from "../infra/declared-program.ts";
import { failing } from "./judged.ts";
import { CONTAINER_MUTATIONS } from "./mutations/containers.ts";
import { DATABASE_MUTATIONS } from "./mutations/database.ts";
import { IAM_MUTATIONS } from "./mutations/iam.ts";
import { LOAD_BALANCER_MUTATIONS } from "./mutations/load-balancer.ts";
import { NETWORK_MUTATIONS } from "./mutations/network.ts";
import { GRANT_MUTATIONS, PROXY_MUTATIONS } from "./mutations/proxy.ts";

const MUTATIONS = [
  ...PROXY_MUTATIONS,
  ...GRANT_MUTATIONS,
  ...DATABASE_MUTATIONS,
  ...NETWORK_MUTATIONS,
  ...LOAD_BALANCER_MUTATIONS,
  ...CONTAINER_MUTATIONS,
  ...IAM_MUTATIONS,
];

describe("Exactly the control fails that is about", () => {
  let program: Program;
  before(async () => {
    program = await programOf("production");
  });

  for (const { control, says, mutate, also = [] } of MUTATIONS) {
    it(`${says} (${control})`, () => {
      assert.deepEqual(failing(mutate(program), "production"), [control, ...also].sort());
    });
  }
});

describe("The mutations", () => {
  it("break every control there is, and no other", () => {
    const broken = [...new Set(MUTATIONS.map(({ control }) => control))].sort();
    assert.deepEqual(broken, CONTROLS.map(({ id }) => id).sort());
  });
});
