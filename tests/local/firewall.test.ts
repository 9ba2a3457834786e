import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { declaredFirewall } from "../../local/firewall.ts";
import { edit, without } from "../../local/program/edit.ts";
import { readDeclared } from "../../local/program/read.ts";
import { evaluate, type Program } from "../../local/program.ts";

const EGRESS = { type: "SecurityGroupEgressRule", name: "service-to-proxy-egress" };
const INGRESS = { type: "SecurityGroupIngressRule", name: "service-to-proxy-ingress" };

describe("The firewall of declared security groups", () => {
  let program: Program;
  let service: readonly string[];
  let proxy: readonly string[];
  let database: readonly string[];
  before(async () => {
    program = await evaluate("production");
    const declared = readDeclared(program);
    service = declared.service.securityGroupIds;
    proxy = declared.proxy.securityGroupIds;
    database = declared.database.securityGroupIds;
  });

  const passes = (changed: Program, port = 5_432) => declaredFirewall(changed).allows(service, proxy, port);

  it("lets the chain through, each hop in its direction and on its port only", () => {
    const firewall = declaredFirewall(program);
    assert.equal(firewall.allows(service, proxy, 5_432), true);
    assert.equal(firewall.allows(proxy, database, 5_432), true);
    assert.equal(firewall.allows(service, database, 5_432), false);
    assert.equal(firewall.allows(proxy, service, 5_432), false);
    assert.equal(firewall.allows(database, proxy, 5_432), false);
    assert.equal(firewall.allows(service, proxy, 5_433), false);
    assert.equal(firewall.allows(service, proxy, 443), false);
    assert.equal(firewall.allows([], proxy, 5_432), false);
  });

  it("lets nothing through when either rule of a hop is missing", () => {
    assert.equal(passes(program), true);
    assert.equal(passes(without(program, EGRESS)), false);
    assert.equal(passes(without(program, INGRESS)), false);
  });

  const rules: readonly [what: string, change: Record<string, unknown>, passes: boolean][] = [
    ["every protocol", { ipProtocol: "-1" }, true],
    ["UDP", { ipProtocol: "udp" }, false],
    ["a range of ports around it", { fromPort: 5_000, toPort: 6_000 }, true],
    ["the ports below it", { fromPort: 0, toPort: 5_431 }, false],
    ["the whole world", { referencedSecurityGroupId: undefined, cidrIpv4: "0.0.0.0/0" }, true],
    ["some addresses", { referencedSecurityGroupId: undefined, cidrIpv4: "10.0.0.0/16" }, false],
    ["a prefix list", { referencedSecurityGroupId: undefined, prefixListId: "pl-1" }, false],
    ["another security group", { referencedSecurityGroupId: "sg-1" }, false],
  ];
  for (const [what, change, expected] of rules) {
    it(`${expected ? "passes" : "drops"} with an egress rule for ${what}`, () => {
      assert.equal(passes(edit(program, EGRESS, (inputs) => ({ ...inputs, ...change }))), expected);
    });
  }
});
