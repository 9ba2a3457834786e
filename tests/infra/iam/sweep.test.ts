import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";
import { only, programOf } from "../declared-program.ts";
import { administratorOf } from "./asked.ts";
import { EVERYTHING } from "./decide.ts";
import { type DeclaredPolicies, type DeclaredRole, readPolicies } from "./declared-policies.ts";
import { SERVICES } from "./near-misses.ts";
import { POSSIBLE, POSSIBLE_FOR_SERVICES } from "./possible.ts";

import { PROGRAMS, type Scene, sceneOf } from "./scene.ts";
import { concernedServices, everyService, sweep, sweepGuarded } from "./sweep.ts";

/** Sweeps every service for every role of every program, which takes seconds for each. */
const THOROUGH = process.env.SWEEP_EVERYTHING === "1";

const SWEEP_TIMEOUT_MS = 60_000;

for (const [says, evaluate] of PROGRAMS) {
  describe(`Of all actions of AWS, by the policies of ${says},`, () => {
    let policies: DeclaredPolicies;
    let scene: Scene;
    before(async () => {
      const program = await evaluate();
      policies = readPolicies(program);
      scene = sceneOf(program);
    });

    it("only known roles can do any", () => {
      assert.deepEqual(policies.roles.map(({ name }) => name).sort(), Object.keys(POSSIBLE).sort());
    });

    for (const [name, possible] of Object.entries(POSSIBLE)) {
      it(`the role ${name} can do what is listed, and nothing else`, async () => {
        const role = roleOf(policies, name);
        const services = THOROUGH ? await everyService() : await concernedServices(role);
        assert.deepEqual(await sweep(policies, role, services), possible(scene));
      }).timeout(SWEEP_TIMEOUT_MS);
    }
  });
}

describe("By the policies of resources", () => {
  for (const [says, evaluate] of PROGRAMS) {
    it(`of ${says}, AWS services can do what is listed, and nothing else`, async () => {
      const program = await evaluate();
      const policies = readPolicies(program);
      const scene = sceneOf(program);
      const named = [...policies.ofResources.values()].flatMap(({ Statement }) => Statement.flatMap(servicesIn));
      assert.deepEqual([...new Set(named)].sort(), Object.keys(POSSIBLE_FOR_SERVICES).sort());
      for (const service of SERVICES) {
        const possible = POSSIBLE_FOR_SERVICES[service]?.(scene) ?? {};
        assert.deepEqual(await sweepGuarded(policies, { arn: service, policies: [] }), possible, service);
      }
    });
  }

  it("another account can do nothing, whatever it allows its administrators", async () => {
    const program = await programOf("production");
    const scene = sceneOf(program);
    const stranger = administratorOf(scene, scene.elsewhere.accountId);
    const administrator = { arn: stranger, policies: [{ name: "administrator", policy: EVERYTHING }] };
    assert.deepEqual(await sweepGuarded(readPolicies(program), administrator), {});
  });
});

/** The services that a statement names as principals. */
function servicesIn({ Principal }: Readonly<Record<string, unknown>>): readonly string[] {
  const { Service = [] } = Principal as { readonly Service?: string | readonly string[] };
  return [Service].flat();
}

describe("A sweep", () => {
  let program: Program;
  let policies: DeclaredPolicies;
  before(async () => {
    program = await programOf("production");
    policies = readPolicies(program);
  });

  it("of every service finds for all roles together what the sweeps of the services concerned find for each", async () => {
    const statements = policies.roles.flatMap((role) => role.policies.flatMap(({ policy }) => policy.Statement));
    // One policy's Deny would hide what another allows.
    assert.deepEqual(new Set(statements.map(({ Effect }) => Effect)), new Set(["Allow"]));
    const [first] = policies.roles;
    assert.ok(first);
    const together = { ...first, policies: policies.roles.flatMap((role) => role.policies) };
    const services = await everyService();
    assert.ok(services.length > 400, `${services.length} services`);
    const scene = sceneOf(program);
    const expected: Record<string, readonly string[]> = {};
    for (const [action, resources] of Object.values(POSSIBLE).flatMap((possible) => Object.entries(possible(scene)))) {
      expected[action] = [...new Set([...(expected[action] ?? []), ...resources])].sort();
    }
    assert.deepEqual(await sweep(policies, together, services), expected);
  }).timeout(SWEEP_TIMEOUT_MS);

  it("leaves no service out when a statement may be about all of them", async () => {
    const role = roleOf(policies, "service-task");
    const holding = (statement: Readonly<Record<string, unknown>>): DeclaredRole => ({
      ...role,
      policies: [{ name: "wide", policy: { Version: "2012-10-17", Statement: [statement] } }],
    });
    const all = await everyService();
    for (const statement of [{ Action: "*" }, { Action: ["logs:Get*", "s?:*"] }, { NotAction: "iam:*" }]) {
      const services = await concernedServices(holding({ Effect: "Allow", Resource: "*", ...statement }));
      assert.deepEqual(services, all, JSON.stringify(statement));
    }
    assert.deepEqual(await concernedServices(role), ["rds-db", "sts"]);
  });

  it("knows a resource by the actions that its own policy allows a role", async () => {
    const role = roleOf(policies, "service-task");
    const key = String(only(program, "Key", "database-storage").outputs.arn);
    const open = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: role.arn }, Action: "kms:Encrypt", Resource: "*" }],
    };
    const opened = { ...policies, ofResources: new Map([...policies.ofResources, [key, open]]) };
    const possible = await sweep(opened, role, ["kms"]);
    assert.deepEqual(possible, { "kms:Encrypt": [key] });
  });
});

describe("The policies of a program are not read", () => {
  const REFUSED: readonly (readonly [says: string, type: string, inputs: Readonly<Record<string, unknown>>])[] = [
    ["an attachment to users and groups", "aws:iam/policyAttachment:PolicyAttachment", { policyArn: "x" }],
    ["a managed policy", "aws:iam/policy:Policy", { policy: "{}" }],
    ["a user", "aws:iam/user:User", {}],
    ["a grant of a key", "aws:kms/grant:Grant", { operations: ["Decrypt"] }],
    ["a permission of a function", "aws:lambda/permission:Permission", { principal: "*" }],
    ["a role with managed policies", "aws:iam/role:Role", { managedPolicyArns: ["arn:aws:iam::aws:policy/x"] }],
    ["a queue's policy", "aws:sqs/queuePolicy:QueuePolicy", { policy: '{"Statement":[]}' }],
    ["a policy of no role", "aws:iam/rolePolicy:RolePolicy", { role: "nobody", policy: '{"Statement":[]}' }],
  ];

  for (const [says, type, inputs] of REFUSED) {
    it(`when it declares ${says} that could grant unseen`, async () => {
      const program = await programOf("production");
      const added = { ...only(program, "Key", "database-storage"), type, name: "added", inputs } as DeclaredResource;
      assert.throws(() => readPolicies({ ...program, resources: [...program.resources, added] }), {
        name: "TypeError",
        message: /added (?:grants something|may grant something)|^1 policies belong to no declared role/,
      });
      assert.equal(readPolicies(program).roles.length, Object.keys(POSSIBLE).length);
    });
  }
});

describe("A policy of AWS's own that is attached to a role", () => {
  const attach = async (policyArn: string) => {
    const program = await programOf("production");
    const role = only(program, "Role", "service-task").outputs.name;
    const type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
    const added = { ...only(program, "RolePolicyAttachment"), type, name: "added", inputs: { role, policyArn } };
    return readPolicies({ ...program, resources: [...program.resources, added] });
  };

  it("counts among what the role can do", async () => {
    const known = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole";
    const task = roleOf(await attach(known), "service-task");
    assert.deepEqual(
      task.policies.map(({ name }) => name),
      ["proxy-connect-service", "added"],
    );
    assert.ok((await concernedServices(task)).includes("logs"));
  });

  it("is refused when nobody said what it grants, or it is of another partition", async () => {
    for (const arn of [
      "arn:aws:iam::aws:policy/AdministratorAccess",
      "arn:aws-cn:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
      "arn:aws:iam::123456789012:policy/own",
    ]) {
      await assert.rejects(attach(arn), { name: "TypeError", message: /grants something: teach/ });
    }
  });
});

function roleOf(policies: DeclaredPolicies, name: string): DeclaredRole {
  const role = policies.roles.find((candidate) => candidate.name === name);
  assert.ok(role, `no role ${name} is declared`);
  return role;
}
