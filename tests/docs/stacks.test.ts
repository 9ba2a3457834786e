import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { evaluate } from "../../local/program.ts";
import { programOf, STACKS } from "../infra/declared-program.ts";
import { checkSection } from "./generated.ts";
import { GIGABYTES, LOAD_BALANCER_CAPACITY } from "./stacks/assumptions.ts";
import { type Cost, costsOf, monthly, reason, unpriced } from "./stacks/cost.ts";
import { configurationDifferences, type Difference, stackDifferences } from "./stacks/differences.ts";
import { type Price, SOURCES } from "./stacks/prices.ts";

const total = (costs: readonly Cost[]) => costs.reduce((sum, line) => sum + monthly(line), 0);
const dollars = (usd: number) => usd.toFixed(2);

describe("docs/stacks.md, the differences", () => {
  let differences: readonly Difference[];
  before(async () => {
    differences = await stackDifferences();
  });

  it("are the declared ones, with the keys that make them", async () => {
    assert.ok(differences.length > 15);
    const rows = differences.map(
      ({ resource, property, production, staging, because }) =>
        `| ${resource} | ${property} | ${production} | ${staging} | ${because.map((key) => `\`${key}\``).join(", ")} |`,
    );
    await checkSection("stacks.md", "differences", [
      "| what | property | production | staging | because of |",
      "|---|---|---|---|---|",
      ...rows,
    ]);
  });

  it("come each from a key of the configuration, and each key but the tier makes one", async () => {
    assert.deepEqual(
      differences.filter(({ because }) => because.length === 0),
      [],
    );
    const makes = new Set(differences.flatMap(({ because }) => because));
    const keys = [...(await configurationDifferences()).keys()].filter((key) => key !== "tier");
    assert.deepEqual([...makes].sort(), keys.sort());
  });

  it("leave out no alarm, door, role or policy: staging has all that production has", () => {
    const missing = differences.filter(({ property }) => property === "declared").map(({ resource }) => resource);
    assert.deepEqual(missing, [
      "listener load-balancer-redirect, security group ingress rule clients-to-load-balancer-redirect-ingress-0",
    ]);
  });
});

describe("docs/stacks.md, the cost", () => {
  it("is what is declared at the prices of the table", async () => {
    const costs = await Promise.all(STACKS.map(async (stack) => costsOf(await programOf(stack))));
    const items = [...new Set(costs.flat().map(({ item }) => item))].sort();
    const cells = (item: string) =>
      costs.flatMap((lines) => {
        const line = lines.find((candidate) => candidate.item === item);
        return line === undefined ? ["–", "–"] : [reason(line), dollars(monthly(line))];
      });
    await checkSection("stacks.md", "cost", [
      `| item | ${STACKS.map((stack) => `${stack} | $ a month`).join(" | ")} |`,
      "|---|---|--:|---|--:|",
      ...items.map((item) => `| ${item} | ${cells(item).join(" | ")} |`),
      `| **Together** |${costs.map((lines) => ` | **${dollars(total(lines))}**`).join(" |")} |`,
    ]);
  });

  it("rests on assumptions that the page tells", async () => {
    const rows = Object.entries(GIGABYTES).map(([name, gigabytes]) => `| \`${name}\` | ${gigabytes} GB |`);
    await checkSection("stacks.md", "assumptions", [
      "| of | a month |",
      "|---|--:|",
      ...rows,
      `| capacity of the load balancer | ${LOAD_BALANCER_CAPACITY} LCU |`,
    ]);
  });

  it("tells of each price where it comes from, and whether it can be trusted", async () => {
    const costs = await Promise.all(STACKS.map(async (stack) => costsOf(await programOf(stack))));
    const used = new Map<string, Price>(costs.flat().map(({ price }) => [`${price.line} ${price.unit}`, price]));
    const prices = [...used.values()].sort((one, other) => (one.line < other.line ? -1 : 1));
    await checkSection("stacks.md", "prices", [
      "| line | $ | for a | source |",
      "|---|--:|---|---|",
      ...prices.map(({ line, usd, unit, source }) => `| ${line} | ${usd} | ${unit} | ${source} |`),
    ]);
    await checkSection("stacks.md", "sources", [
      "| source | title | date | |",
      "|---|---|---|---|",
      ...Object.entries(SOURCES).map(([key, { title, date, says }]) => `| ${key} | ${title} | ${date} | ${says} |`),
    ]);
  });

  for (const stack of STACKS) {
    it(`leaves out nothing that is declared: each type has a price or is known to have none (${stack})`, async () => {
      assert.deepEqual(unpriced(await programOf(stack)), []);
    });
  }

  it("changes with the size of the database, the tasks, the zones and the retention", async () => {
    const usual = total(costsOf(await programOf("staging")));
    const LARGER: readonly Readonly<Record<string, string>>[] = [
      { databaseInstanceClass: "db.m7g.large" },
      { databaseStorageGiB: "100" },
      { multiAz: "true" },
      { minTasks: "2" },
      { taskCpu: "1024", taskMemoryMiB: "2048" },
      { cpuArchitecture: "X86_64" },
      { availabilityZones: "3" },
      { logRetentionDays: "365" },
      { ingressCidrs: '["203.0.113.0/24"]' },
    ];
    for (const config of LARGER) {
      const larger = total(costsOf(await evaluate("staging", { config })));
      assert.ok(larger > usual, `${JSON.stringify(config)}: ${larger} instead of ${usual}`);
    }
  });
});
