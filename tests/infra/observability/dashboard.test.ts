import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { Program } from "../../../local/program.ts";
import { ofType, only, PROJECT, programOf, STACKS } from "../declared-program.ts";
import { metricAlarms } from "./tables.ts";

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title?: string;
    readonly markdown?: string;
    readonly region?: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly unknown[])[];
    readonly annotations?: { readonly horizontal: readonly { readonly value: number }[] };
  };
}

for (const stack of STACKS) {
  describe(`The dashboard of stack ${stack}`, () => {
    let program: Program;
    let widgets: readonly Widget[];
    before(async () => {
      program = await programOf(stack);
      ({ widgets } = JSON.parse(String(only(program, "Dashboard").inputs.dashboardBody)) as { widgets: Widget[] });
    });

    it("asks its question and has a column for each of the three answers", () => {
      const texts = widgets.flatMap(({ properties }) => properties.markdown ?? []);
      assert.equal(texts.filter((text) => text.startsWith("# Is it the database, the proxy, or us?")).length, 1);
      assert.deepEqual(
        texts.filter((text) => text.startsWith("## ")),
        ["## Is it the database?", "## Is it the proxy?", "## Is it us?"],
      );
    });

    it("keeps its widgets on the page and off each other", () => {
      const taken = new Set<string>();
      for (const { x, y, width, height, properties } of widgets) {
        assert.ok(x >= 0 && x + width <= 24, properties.title);
        for (let column = x; column < x + width; column++) {
          for (let row = y; row < y + height; row++) {
            assert.ok(!taken.has(`${column} ${row}`), `${properties.title} at ${column}, ${row}`);
            taken.add(`${column} ${row}`);
          }
        }
      }
      assert.ok(widgets.length <= 100);
    });

    it("shows the state of every alarm", () => {
      const [states] = widgets.filter(({ type }) => type === "alarm");
      assert.deepEqual(
        states?.properties.alarms?.toSorted(),
        ofType(program, "MetricAlarm")
          .map(({ outputs }) => String(outputs.arn))
          .toSorted(),
      );
    });

    it("shows what every alarm looks at, with its threshold as a line", () => {
      for (const alarm of ofType(program, "MetricAlarm")) {
        const key = alarm.name.replace("observability-", "");
        const shown = widgets.filter(({ properties }) => properties.title === key);
        assert.equal(shown.length, 1, key);
        assert.deepEqual(
          shown[0]?.properties.annotations?.horizontal.map(({ value }) => value),
          [alarm.inputs.threshold],
        );
      }
      assert.equal(widgets.filter(({ properties }) => properties.annotations).length, metricAlarms().length);
    });

    it("has rotations as a line of matched events beside the failures that belong to them", () => {
      const rule = only(program, "EventRule", "observability-rotations").outputs.name;
      const [widget] = widgets.filter(({ properties }) => properties.title?.startsWith("Rotations"));
      const lines = widget?.properties.metrics?.map((metric) => metric.slice(0, -1));
      assert.deepEqual(lines?.[0], ["AWS/Events", "MatchedEvents", "RuleName", rule]);
      assert.equal(lines?.length, 4);
    });

    it("names the region in every graph, and nothing that is not known", () => {
      const graphs = widgets.filter(({ type }) => type === "metric");
      assert.ok(graphs.length >= metricAlarms().length + 3);
      for (const { properties } of graphs) {
        assert.equal(properties.region, "eu-west-2", properties.title);
        for (const metric of properties.metrics ?? []) {
          const options = metric.at(-1) as { readonly expression?: string };
          const names = metric.slice(0, -1);
          assert.ok(options.expression !== undefined ? names.length === 0 || metric.length === 1 : names.length >= 2);
          for (const name of names) assert.match(String(name), /^[\w/.-]+$/, properties.title);
        }
      }
    });

    it("is named for the stack, in characters that CloudWatch takes", () => {
      assert.match(
        String(only(program, "Dashboard").inputs.dashboardName),
        new RegExp(`^${PROJECT}-(production|staging)$`),
      );
    });
  });
}
