import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { CONTROLS } from "../../policy/controls.ts";
import { fails } from "../../policy/evaluate.ts";
import { EXCEPTIONS } from "../../policy/exceptions.ts";
import { scorecardText } from "../../policy/report.ts";
import { programOf } from "../infra/declared-program.ts";
import { failing, judged, TODAY } from "./judged.ts";
import { set } from "./mutations/mutation.ts";

const run = promisify(execFile);
const SCORECARD = fileURLToPath(new URL("../../policy/scorecard.ts", import.meta.url));

/** Other stacks of tier production that people have. */
const VARIANTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "open to the world by HTTPS": { ingressCidrs: '["0.0.0.0/0"]' },
  "with a permissions boundary": { permissionsBoundaryArn: "arn:aws:iam::123456789012:policy/boundary" },
  "in China": {
    "aws:region": "cn-north-1",
    certificateArn: "arn:aws-cn:acm:cn-north-1:123456789012:certificate/00000000-0000-4000-8000-000000000000",
  },
  "in three zones": { availabilityZones: "3" },
};

describe("The scorecard", () => {
  for (const stack of ["production", "staging"] as const) {
    it(`of ${stack} has nothing that fails, is unknown or not applicable`, async () => {
      const { findings, registerMistakes } = judged(await programOf(stack), stack);
      const others = findings.filter(({ status }) => status !== "pass" && status !== "exception");
      assert.deepEqual(
        others.map(({ control, resource, status, says }) => [control.id, resource?.name, status, says]),
        [],
      );
      assert.deepEqual(registerMistakes, []);
      assert.ok(findings.length > 150, `${findings.length} findings`);
    });
  }

  it("of production looks at every control", async () => {
    const { findings } = judged(await programOf("production"), "production");
    const seen = new Set(findings.map(({ control }) => control.id));
    assert.deepEqual(
      [...seen],
      CONTROLS.map(({ id }) => id),
    );
  });

  it("of production needs at most five exceptions, and every one that there is", async () => {
    const { findings } = judged(await programOf("production"), "production");
    const used = findings.flatMap(({ exception }) => exception ?? []);
    assert.ok(used.length <= 5, `${used.length} exceptions`);
    assert.deepEqual(new Set(used), new Set(EXCEPTIONS));
  });

  it("of production fails as soon as an exception is due", async () => {
    const { findings } = judged(await programOf("production"), "production", new Date("2027-06-01T00:00:00Z"));
    assert.equal(findings.filter(fails).length, EXCEPTIONS.length);
  });

  it("of staging, judged as production, says what staging lacks", async () => {
    const lacking = judged(await programOf("staging"), "production")
      .findings.filter(fails)
      .map(({ control }) => control);
    assert.ok(lacking.length >= 6, `${lacking.length} controls`);
    for (const { id, staging } of lacking) assert.ok(staging, `${id} says nothing of staging`);
  });

  it("of a stack in a VPC that it did not make judges the rest of it", async () => {
    const program = await programOf("staging", {
      vpcId: "vpc-0123456789abcdef0",
      publicSubnetIds: '["subnet-00000000000000001","subnet-00000000000000002"]',
      isolatedSubnetIds: '["subnet-00000000000000003","subnet-00000000000000004"]',
      endpointSecurityGroupId: "sg-0123456789abcdef0",
    });
    const { findings } = judged(program, "staging");
    assert.deepEqual(
      findings.filter(fails).map(({ control, says }) => [control.id, says]),
      [],
    );
    const applied = findings.filter(({ status }) => status === "not applicable");
    assert.ok(applied.length >= 5, `${applied.length} controls do not apply`);
    for (const { control } of applied) assert.match(control.id, /^network-|^database-subnets/);
  });

  for (const [says, config] of Object.entries(VARIANTS)) {
    it(`of production ${says} has nothing that fails`, async () => {
      assert.deepEqual(failing(await programOf("production", config), "production"), []);
    });
  }

  it("of production behind a firewall needs no exception for lacking one, and says so", async () => {
    const webAclArn = "arn:aws:wafv2:eu-west-2:123456789012:regional/webacl/ours/00000000-0000-4000-8000-000000000000";
    const { findings, registerMistakes } = judged(await programOf("production", { webAclArn }), "production");
    assert.equal(findings.find(({ control }) => control.id === "load-balancer-firewall")?.status, "pass");
    assert.equal(findings.filter(fails).length, 0);
    assert.deepEqual(registerMistakes, [
      "the exception for load-balancer-firewall on LoadBalancer load-balancer matches nothing: remove it from policy/exceptions.ts",
    ]);
  });

  it("says in words what fails, with resource and control", async () => {
    const program = set("Proxy", "proxy", { requireTls: false })(await programOf("production"));
    const text = scorecardText("production", judged(program, "production", TODAY));
    assert.match(text, /^ {2}proxy-requires-tls, Proxy proxy: requireTls is false; allowed: true$/m);
    assert.match(text, /Stack production: FAILED\. \d+ controls, \d accepted exceptions, 1 violation\.$/);
  });
});

describe("Controls", () => {
  it("have ids, titles and sources in one form, each id once", () => {
    assert.equal(new Set(CONTROLS.map(({ id }) => id)).size, CONTROLS.length);
    assert.ok(CONTROLS.length > 80);
    for (const { id, title, sources } of CONTROLS) {
      assert.match(id, /^[a-z]+(?:-[a-z0-9]+)+$/, id);
      assert.match(title, /^(?:[A-Z]|rds-db:connect ).*[^.]$/, id);
      assert.ok(sources.length > 0, id);
    }
  });

  it("that staging is spared say what it may have instead", () => {
    for (const { id, tiers, staging } of CONTROLS) assert.ok(tiers === undefined || staging, id);
  });
});

/** The day that the commands judge by. */
const DAY = TODAY.toISOString().slice(0, 10);

describe("npm run scorecard", () => {
  it("prints a table of the stack, or one JSON document for a machine, and succeeds when nothing fails", async () => {
    const [table, json] = await Promise.all([
      run(process.execPath, [SCORECARD, "--stack", "staging", "--today", DAY]),
      run(process.execPath, [SCORECARD, "--json", "--today", DAY], { maxBuffer: 1 << 24 }),
    ]);
    assert.equal(table.stderr, "");
    assert.match(table.stdout, /│ proxy-requires-tls +│ RDS\.43, .*│ Proxy proxy +│ pass +│/);
    assert.match(table.stdout, /Stack staging: PASSED\. \d+ controls, \d accepted exceptions, nothing fails\.\n$/);
    const { stack, passed, findings } = JSON.parse(json.stdout) as Readonly<Record<string, unknown>>;
    assert.deepEqual([stack, passed, Array.isArray(findings)], ["production", true, true]);
  });

  it("explains itself, and refuses what it does not take", async () => {
    const [help] = await Promise.all([
      run(process.execPath, [SCORECARD, "--help"]),
      assert.rejects(run(process.execPath, [SCORECARD, "--today", "2027-02-30"]), {
        code: 2,
        stderr: /--today is "2027-02-30"; allowed: a day/,
      }),
    ]);
    assert.match(help.stdout, /^Usage: npm run scorecard/);
  });
});
