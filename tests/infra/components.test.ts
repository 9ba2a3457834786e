import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { declaredFirewall } from "../../local/firewall.ts";
import { evaluate, type Program } from "../../local/program.ts";
import { givenNames } from "./account/names.ts";
import { ofType, only } from "./declared-program.ts";

/** Of each type, how many three databases (the third exists already), four proxies and three services are made of. */
const COUNTS: Readonly<Record<string, number>> = {
  Instance: 2,
  Proxy: 4,
  ProxyTarget: 4,
  TaskDefinition: 3,
  Service: 3,
  Cluster: 3,
};

describe("The components, more than once in a stack and without the rest of the program", () => {
  let program: Program;
  before(async () => {
    program = await evaluate("staging", { entry: new URL("fixtures/components-twice.ts", import.meta.url) });
  });

  it("declare all that they are made of, each under a name of its own", () => {
    for (const [type, count] of Object.entries(COUNTS)) assert.equal(ofType(program, type).length, count, type);
    const urns = program.resources.map(({ urn }) => urn);
    assert.deepEqual(
      urns.filter((urn, index) => urns.indexOf(urn) !== index),
      [],
    );
  });

  it("give nothing a name that AWS would refuse twice", () => {
    const names = givenNames(program)
      .filter(({ rule }) => rule.unique)
      .map(({ rule, name }) => `${rule.type} ${rule.property} ${name}`);
    assert.ok(names.length >= 4 * 2 + 3 + 2 * 4, String(names.length));
    assert.equal(new Set(names).size, names.length);
  });

  it("let each service reach the proxies that it was granted, each proxy its own database, and no other", () => {
    const firewall = declaredFirewall(program);
    const names = ofType(program, "SecurityGroup").map(({ name }) => name);
    const id = (name: string) => only(program, "SecurityGroup", name).id;
    const open = names.flatMap((from) =>
      names.filter((to) => firewall.allows([id(from)], [id(to)], 5432)).map((to) => `${from} -> ${to}`),
    );
    assert.deepEqual(open.sort(), [
      "billing-proxy -> billing-database",
      "billing-service -> billing-proxy",
      "legacy-service -> legacy-proxy",
      "orders-proxy -> orders-database",
      "orders-service -> orders-proxy",
      "orders-service -> reports-proxy",
      "reports-proxy -> orders-database",
    ]);
  });

  it("grant each task role its own proxy only", () => {
    for (const name of ["orders", "billing", "legacy"]) {
      const { inputs } = only(program, "RolePolicy", `${name}-proxy-connect-${name}-service`);
      const id = String(only(program, "Proxy", `${name}-proxy`).outputs.arn)
        .split(":")
        .at(-1);
      assert.equal(inputs.role, only(program, "Role", `${name}-service-task`).outputs.name);
      assert.match(String(inputs.policy), new RegExp(`:dbuser:${id}/`));
    }
  });
});
