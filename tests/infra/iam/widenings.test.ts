import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { without, withoutStatement } from "../../../local/program/edit.ts";
import type { DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";
import { only, programOf } from "../declared-program.ts";
import { notices } from "./notices.ts";
import { type Scene, sceneOf } from "./scene.ts";
import { widen } from "./widen.ts";
import { WIDENED_GUARDS } from "./widened-guards.ts";
import { WIDENED_POLICIES } from "./widened-policies.ts";
import { WIDENED_TRUSTS } from "./widened-trusts.ts";

/** Every statement of a role's policy, with the start of each decision that it is for. */
const STATEMENTS: readonly (readonly [policy: string, sid: string, decisions: readonly string[]])[] = [
  ["proxy-connect-service", "ConnectThroughProxy", ["the task connects"]],
  ["proxy-read-secret", "ReadMasterSecret", ["the proxy reads"]],
  ["proxy-read-secret", "DecryptMasterSecret", ["the proxy decrypts"]],
  ["service-start", "LogInToRegistry", ["ECS logs in"]],
  ["service-start", "PullImage", ["ECS pulls", "ECS pulls", "ECS pulls"]],
  ["service-start", "WriteLogs", ["ECS writes", "ECS writes"]],
  ["network-flow-logs", "WriteFlowLogs", ["flow logs write", "flow logs write", "flow logs write"]],
];

describe("A grant is noticed that is widened to", () => {
  let program: Program;
  let scene: Scene;
  before(async () => {
    program = await programOf("production");
    scene = sceneOf(program);
  });

  for (const widening of [...WIDENED_POLICIES, ...WIDENED_TRUSTS, ...WIDENED_GUARDS]) {
    const { says, possible, allowed } = widening;
    it(says, async () => {
      assert.ok(possible.length + allowed.length > 0);
      assert.deepEqual(await notices(widen(program, widening), scene), { possible, allowed, denied: [] });
    });
  }
});

describe("Of the program's grants", () => {
  let program: Program;
  let scene: Scene;
  before(async () => {
    program = await programOf("production");
    scene = sceneOf(program);
  });

  it("nothing is noticed as they are", async () => {
    assert.deepEqual(await notices(program, scene), { possible: [], allowed: [], denied: [] });
  });

  for (const [policy, sid, decisions] of STATEMENTS) {
    it(`${sid} is missed when it is forgotten`, async () => {
      const { possible, allowed, denied } = await notices(withoutStatement(program, policy, sid), scene);
      assert.ok(possible.length > 0);
      assert.deepEqual(allowed, []);
      assert.equal(denied.length, decisions.length);
      for (const [index, start] of decisions.entries()) assert.ok(denied[index]?.startsWith(start), denied[index]);
    });
  }

  it("each policy is missed when it is forgotten", async () => {
    for (const name of ["network-flow-logs", "proxy-connect-service", "proxy-read-secret", "service-start"]) {
      const { denied } = await notices(without(program, { type: "RolePolicy", name }), scene);
      assert.ok(denied.length > 0, name);
    }
  });

  it("a role is noticed that is not listed", async () => {
    const role = only(program, "Role", "service-task");
    const outputs = { ...role.outputs, name: "added", arn: `${role.outputs.arn}-added` };
    const added: DeclaredResource = { ...role, name: "added", outputs };
    const { possible } = await notices({ ...program, resources: [...program.resources, added] }, scene);
    assert.ok(possible.includes("sts:GetCallerIdentity"), possible.join(", "));
  });
});
