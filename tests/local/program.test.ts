import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { StackConfigurationError } from "../../local/program/configuration.ts";
import { type EvaluateOptions, evaluate, ProgramError } from "../../local/program.ts";
import { PROJECT } from "../infra/declared-program.ts";

/** A small program of its own, to see what the harness does with it. */
function run(program: string, options: EvaluateOptions = {}) {
  return evaluate("staging", { ...options, entry: new URL(`fixtures/programs/${program}.ts`, import.meta.url) });
}

/** The error that a program ends with. */
async function failureOf(evaluation: Promise<unknown>): Promise<ProgramError> {
  const error = await evaluation.then(
    () => assert.fail("the program was evaluated"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ProgramError, String(error));
  return error;
}

describe("The harness", () => {
  it("returns every resource with its inputs, outputs and dependencies", async () => {
    const program = await evaluate("production");
    assert.equal(program.project, PROJECT);
    const proxy = program.resources.find(({ type }) => type === "aws:rds/proxy:Proxy");
    assert.ok(proxy);
    assert.match(String(proxy.outputs.arn), /^arn:aws:rds:eu-west-2:123456789012:db-proxy:prx-[0-9a-f]{17}$/);
    assert.match(String(proxy.outputs.endpoint), /^[a-z0-9-]+\.proxy-c[0-9a-f]{11}\.eu-west-2\.rds\.amazonaws\.com$/);
    assert.equal(proxy.inputs.engineFamily, "POSTGRESQL");
    assert.ok(proxy.dependencies.length > 4);
    assert.ok(proxy.dependencies.every((urn) => program.resources.some((resource) => resource.urn === urn)));
    assert.equal(new Set(program.resources.map(({ urn }) => urn)).size, program.resources.length);
  });

  it("declares no text that an Output was put into by mistake", async () => {
    for (const stack of ["production", "staging"]) {
      const { resources, outputs } = await evaluate(stack);
      assert.doesNotMatch(JSON.stringify({ resources, outputs }), /Calling \[to(String|JSON)\]/);
    }
  });

  it("evaluates a preview, in which computed outputs are unknown", async () => {
    const { resources } = await evaluate("production", { preview: true });
    const proxy = resources.find(({ type }) => type === "aws:rds/proxy:Proxy");
    assert.equal(proxy?.inputs.engineFamily, "POSTGRESQL");
    assert.deepEqual([proxy?.id, proxy?.outputs.endpoint], ["", undefined]);
    assert.notEqual(typeof proxy?.inputs.name, "string", "the name comes from ids that AWS has not given yet");
    // Nothing is made inside an apply, which a preview would not show, but the image: awsx makes that inside one of its own.
    const urns = (declared: typeof resources) =>
      declared.flatMap(({ type, urn }) => (type === "docker-build:index:Image" ? [] : [urn])).sort();
    assert.deepEqual(urns(resources), urns((await evaluate("production")).resources));
  });

  it("gives the same declarations each time", async () => {
    const [one, other] = [await evaluate("staging"), await evaluate("staging")];
    const inputsOf = ({ resources }: typeof one) =>
      resources.map(({ urn, inputs }) => JSON.stringify([urn, inputs])).sort();
    assert.deepEqual(inputsOf(one), inputsOf(other));
  });

  it("says what to add for a type of resource that it does not know", async () => {
    const { message, code } = await failureOf(run("unknown-type"));
    assert.match(
      message,
      /no computed outputs for the resource type aws:sfn\/activity:Activity \(reports\): add it to OUTPUTS/,
    );
    assert.equal(code, "PROGRAM_FAILED");
  });

  it("says what to add for a function that it does not know", async () => {
    const { message } = await failureOf(run("unknown-function"));
    assert.match(message, /no answer to the function aws:ssm\/getParameter:getParameter: add it to ANSWERS/);
  });

  it("reports an error in an apply whose result nothing reads", async () => {
    assert.match((await failureOf(run("error-in-apply"))).message, /nobody reads this/);
  });

  it("reports several errors together", async () => {
    const { message, errors } = await failureOf(run("several-errors"));
    assert.match(message, /aws:sfn\/activity:Activity \(one\)/);
    assert.match(message, /aws:sqs\/queue:Queue \(two\)/);
    assert.match(message, /the program itself/);
    assert.equal(errors.length, 3);
  });

  it("gives up a program that never settles", async () => {
    const { message } = await failureOf(run("never-settles", { timeoutMs: 300 }));
    assert.match(message, /did not finish within 300 ms/);
  });

  it("works again after each of these", async () => {
    assert.ok((await evaluate("staging")).resources.length > 50);
  });

  it("keeps each stack's configuration to itself, also when evaluations are asked for at once", async () => {
    const logsOf = async (stack: string, config: Record<string, string> = {}) => {
      const { resources } = await evaluate(stack, { config });
      return resources.find(({ type, name }) => type.endsWith(":LogGroup") && name === "service")?.inputs
        .retentionInDays;
    };
    const retentions = await Promise.all([
      logsOf("production"),
      logsOf("staging"),
      logsOf("staging", { logRetentionDays: "7" }),
      logsOf("production"),
    ]);
    assert.deepEqual(retentions, [365, 30, 7, 365]);
  });

  it("leaves the process's own listeners for unhandled rejections as they were", async () => {
    const before = process.listeners("unhandledRejection");
    await run("error-in-apply").catch(() => {});
    assert.deepEqual(process.listeners("unhandledRejection"), before);
  });

  const refused: readonly [what: string, stack: string, config: Record<string, string>, message: RegExp][] = [
    ["a stack without a file", "nowhere", {}, /there is no stack nowhere: .*there are production, staging$/],
    ["a stack name that is a path", "../etc", {}, /stack name "\.\.\/etc"; allowed/],
    ["a key that is not declared", "staging", { poolsize: "1" }, /declares no key poolsize; allowed: .*poolSize/],
  ];
  for (const [what, stack, config, message] of refused) {
    it(`refuses ${what}, with what is allowed`, async () => {
      await assert.rejects(
        evaluate(stack, { config }),
        (error) => error instanceof StackConfigurationError && message.test(error.message),
      );
    });
  }
});
