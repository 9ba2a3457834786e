import assert from "node:assert/strict";
import type { PolicyResource, StackValidationArgs } from "@pulumi/policy";
import { describe, it } from "mocha";
import type { Control } from "../../policy/control.ts";
import { stackPolicies } from "../../policy/policies.ts";

const LOCKED: Control = {
  id: "thing-locked",
  title: "Things are locked",
  sources: ["X.1", "Y_2"],
  severity: "critical",
  selects: (stack) => stack.ofType("aws:test/thing:Thing"),
  check: ({ fields }, { tier }) => (fields.isTrue("locked") ? [] : [`locked is false; allowed: true, in ${tier}`]),
};

function thing(name: string, props: object): PolicyResource {
  return {
    type: "aws:test/thing:Thing",
    name,
    urn: `urn:${name}`,
    props,
    opts: {
      protect: false,
      ignoreChanges: [],
      aliases: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
      additionalSecretOutputs: [],
    },
    dependencies: [],
    propertyDependencies: {},
    isType: () => false,
    asType: () => undefined,
  };
}

/** What the policy of {@link LOCKED} reports of some resources, in order. */
async function reported(resources: PolicyResource[], options: Parameters<typeof stackPolicies>[0] = {}) {
  const [policy] = stackPolicies({ controls: [LOCKED], exceptions: [], ...options });
  assert.ok(policy);
  const violations: (readonly [message: string, urn: string | undefined])[] = [];
  const args: StackValidationArgs = {
    resources,
    stackTags: new Map(),
    getConfig: <T extends object>() => ({}) as T,
    notApplicable: (reason) => {
      throw new Error(`not applicable: ${reason}`);
    },
  };
  let thrown: unknown;
  try {
    await policy.validateStack(args, (message, urn) => violations.push([message, urn]));
  } catch (error) {
    thrown = error;
  }
  return { violations, thrown };
}

describe("A control as a policy", () => {
  it("is mandatory, and says who asks for it", () => {
    const [policy, register, ...others] = stackPolicies({ controls: [LOCKED], exceptions: [] });
    assert.deepEqual(others, []);
    assert.equal(policy?.name, "thing-locked");
    assert.equal(policy.description, "Things are locked (X.1, Y_2).");
    assert.deepEqual([policy.enforcementLevel, policy.severity], ["mandatory", "critical"]);
    assert.deepEqual([register?.name, register?.enforcementLevel], ["exceptions-current", "mandatory"]);
  });

  it("reports each violation at its resource", async () => {
    const { violations } = await reported([thing("door", { locked: true }), thing("window", { locked: false })]);
    assert.deepEqual(violations, [["Thing window: locked is false; allowed: true, in production.", "urn:window"]]);
  });

  it("reports at the stack that it found nothing to look at", async () => {
    const { violations } = await reported([{ ...thing("other", {}), type: "aws:test/other:Other" }]);
    assert.deepEqual(violations, [["it matched no resource of the stack", undefined]]);
  });

  it("throws what the SDK threw for an unknown value, after all that it does know", async () => {
    const cause = new Error("can't be known during preview");
    const unknown = Object.defineProperty({}, "locked", {
      get: () => {
        throw cause;
      },
    });
    const { violations, thrown } = await reported([thing("door", unknown), thing("window", {})]);
    assert.equal(violations.length, 1);
    assert.equal(thrown, cause);
  });

  it("takes the tier that it is given, else the one that every provider's tags name", async () => {
    const tagged = (Environment: string) => ({
      ...thing("door", {}),
      provider: {
        type: "pulumi:providers:aws",
        urn: "urn:provider",
        name: "provider",
        props: { defaultTags: JSON.stringify({ tags: { Environment } }) },
      },
    });
    const tiers = async (...resources: PolicyResource[]) =>
      (await reported(resources)).violations.map(([message]) => message.split(" ").at(-1));
    assert.deepEqual(await tiers(tagged("staging")), ["staging."]);
    assert.deepEqual(await tiers(tagged("staging"), tagged("production")), ["production.", "production."]);
    assert.deepEqual(await tiers(thing("door", {})), ["production."]);
    const { violations } = await reported([tagged("production")], { tier: "staging" });
    assert.match(String(violations[0]?.[0]), /staging\.$/);
  });
});
