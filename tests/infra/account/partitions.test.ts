import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { evaluate, type Program } from "../../../local/program.ts";
import { STACKS } from "../declared-program.ts";

/** A region in each partition that has rules of its own, and two commercial ones beside the default. */
const REGIONS = [
  ["aws", "us-east-1"],
  ["aws", "ap-southeast-2"],
  ["aws-cn", "cn-north-1"],
  ["aws-us-gov", "us-gov-west-1"],
] as const;

/** Services as principals, and as sources of events in CloudTrail, go by the same name in every partition. */
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/;

/** Names of regions, wherever they stand in a text. */
const REGION = /\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-(?:north|south|east|west|central)+(?:east|west)?-\d\b/g;

/** One text somewhere in what is declared, with the way to it. */
interface Text {
  readonly path: string;
  readonly value: string;
}

/** Every text in a declaration; JSON inside texts, such as policies, is looked into. */
function textsOf(value: unknown, path: string): readonly Text[] {
  if (typeof value === "string") {
    const json = /^[[{]/.test(value) ? parsed(value) : undefined;
    return json === undefined ? [{ path, value }] : textsOf(json, path);
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...textsOf(key, `${path} key`),
    ...textsOf(inner, `${path}.${key}`),
  ]);
}

/** Undefined for what only begins like JSON: the pattern of a log's metric. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

for (const [partition, region] of REGIONS) {
  // The stacks are of one shape: the second need not be looked at everywhere.
  for (const stack of partition === "aws-cn" ? STACKS : (["production"] as const)) {
    describe(`Stack ${stack} in ${region}`, () => {
      let program: Program;
      let texts: readonly Text[];
      before(async () => {
        const certificateArn = `arn:${partition}:acm:${region}:123456789012:certificate/00000000-0000-4000-8000-000000000000`;
        const config = { "aws:region": region, ...(stack === "production" ? { certificateArn } : {}) };
        program = await evaluate(stack, { config });
        texts = program.resources.flatMap(({ type, name, inputs }) => textsOf(inputs, `${type} ${name}`));
        assert.ok(texts.length > 500, `only ${texts.length} texts`);
      });

      it(`names the partition ${partition} in every ARN`, () => {
        const arns = texts.flatMap(({ path, value }) =>
          [...value.matchAll(/arn:([a-z-]*):/g)].map(([, found]) => ({ path, found })),
        );
        assert.ok(arns.length > 30, `only ${arns.length} ARNs`);
        assert.deepEqual(
          arns.filter(({ found }) => found !== partition),
          [],
        );
      });

      it("names its own region, and no other, wherever it names one", () => {
        const regions = texts.flatMap(({ path, value }) =>
          [...value.matchAll(REGION)].map(([found]) => ({ path, found })),
        );
        assert.ok(regions.length > 20, `only ${regions.length} regions`);
        assert.deepEqual(
          regions.filter(({ found }) => found !== region),
          [],
        );
      });

      it("ends the names of AWS's hosts as its partition does, and those of services as all do", () => {
        const suffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
        const hosts = texts.flatMap(({ path, value }) =>
          [...value.matchAll(/[\w.-]*\bamazonaws\.com[a-z.]*/g)].map(([found]) => ({ path, found })),
        );
        assert.ok(hosts.length > 5);
        const wrong = hosts.filter(
          ({ path, found }) =>
            !found.endsWith(`.${suffix}`) && !(/Principal|eventSource/.test(path) && SERVICE.test(found)),
        );
        assert.deepEqual(wrong, []);
      });
    });
  }
}
