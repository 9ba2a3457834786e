import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, it } from "mocha";
import { type Outcome, preview, up } from "../../local/engine/outcome.ts";
import { planOf } from "../../local/preview/plan.ts";
import { deedsOf, describeEngine } from "./engine-fixture.ts";
import { copyProgram, type ProgramCopy } from "./program-copy.ts";

const LARGER = { databaseInstanceClass: "db.t4g.large" };

describeEngine("One change on the real engine", (fixture) => {
  let program: ProgramCopy;
  before(async () => {
    program = await copyProgram();
    assert.equal((await deploy()).failed, undefined);
  });
  after(() => program?.[Symbol.asyncDispose]());

  async function opened(config: Record<string, string> = {}) {
    return (await fixture.engine.stack("staging", { folder: program.folder, config })).stack;
  }

  /** Deploys staging as the copy declares it now, with the log begun anew. */
  async function deploy(config: Record<string, string> = {}): Promise<Outcome> {
    fixture.account.forgetOperations();
    return up(await opened(config));
  }

  /** What a deployment would do, each as its verb, last part of the type, and name. */
  async function foreseen(config: Record<string, string> = {}): Promise<readonly string[]> {
    const outcome = await preview(await opened(config));
    assert.equal(outcome.failed, undefined);
    return planOf(outcome.events)
      .changes.map(({ deed, type, name }) => `${deed} ${type.split(":").at(-1)} ${name}`)
      .sort();
  }

  it("of the instance class updates the database in place, and nothing else", async () => {
    const expected = ["update Instance database"];
    assert.deepEqual(await foreseen(LARGER), expected);
    assert.equal((await deploy(LARGER)).failed, undefined);
    assert.deepEqual(deedsOf(fixture.account), expected);
  });

  it("of the application alone builds an image, registers a task definition, moves the service, and nothing else", async () => {
    await program.change("app/main.ts", '"Nothing to migrate"', '"There was nothing to migrate"');
    assert.equal((await deploy(LARGER)).failed, undefined);
    const deeds = deedsOf(fixture.account).map((deed) => deed.replace(/ app-[0-9a-f]{20}-arm64$/, " app-…"));
    assert.deepEqual(deeds, [
      "create Image app-…",
      "create TaskDefinition service",
      "delete Image app-…",
      "delete TaskDefinition service",
      "update Service service",
    ]);
  });

  it("of a component's name replaces nothing if the component has an alias, awsx's children included", async () => {
    await program.change("index.ts", 'new Network("network", {', 'new Network("net", {');
    const without = await foreseen(LARGER);
    assert.ok(without.includes("create Vpc net-vpc"), without.join("\n"));
    await program.change(
      "index.ts",
      "account });\nconst { vpcId",
      'account }, { aliases: [{ name: "network" }] });\nconst { vpcId',
    );
    // awsx tags what it makes with its own name, which is all that changes.
    const left = await foreseen(LARGER);
    assert.ok(left.includes("update Vpc net-vpc"), left.join("\n"));
    assert.deepEqual(
      left.filter((deed) => !/^update (?:Vpc|InternetGateway|Subnet|RouteTable) net-/.test(deed)),
      [],
    );
  });

  it("that a policy forbids fails the preview, which the policy pack is part of", async () => {
    const [right, wrong] = [await copyProgram(), await copyProgram()];
    await using _right = right;
    await using _wrong = wrong;
    await wrong.change("infra/proxy.ts", "requireTls: true", "requireTls: false");
    const judged = async ({ folder }: ProgramCopy) => {
      const { stack } = await fixture.engine.stack("staging", { folder, config: LARGER });
      return preview(stack, { policyPacks: [fileURLToPath(new URL("../../policy", import.meta.url))] });
    };
    const violated = ({ events }: Outcome) =>
      events.flatMap(({ policyEvent }) =>
        policyEvent?.enforcementLevel === "mandatory" ? [policyEvent.policyName] : [],
      );
    const [good, bad] = [await judged(right), await judged(wrong)];
    // Exceptions of the pack end one day, and then it forbids more than this.
    const added = violated(bad).filter((policy) => !violated(good).includes(policy));
    assert.deepEqual(added, ["proxy-requires-tls"]);
    assert.notEqual(bad.failed, undefined);
  });
});
