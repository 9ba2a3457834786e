import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { rotationsSucceeded } from "../../../infra/observability/events.ts";
import { runbookLink } from "../../../infra/observability/phrasing.ts";
import { FAULT_NAMES } from "../../../local/faults/catalogue.ts";
import { PROGRAM_FOLDER } from "../../../local/program/configuration.ts";
import { programOf } from "../declared-program.ts";
import { allEventAlarms, metricAlarms, SUBJECT } from "./tables.ts";

const PARTS = ["Means", "Look at", "Do", "On a laptop"] as const;

const TASKS = [
  "Rotate by hand",
  "First deployment",
  "Roll back",
  "Restore",
  "Replace the proxy without an outage",
  "Move from the password path to this one",
];

const KEYS = [...metricAlarms(), ...allEventAlarms()].map(({ key }) => key);

/** The anchor that a heading gets where Markdown is shown. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");

describe("docs/runbook.md", () => {
  let page: string;
  /** Sections of the third level by heading, below a heading of the second. */
  let sections: (chapter: string) => ReadonlyMap<string, string>;
  before(async () => {
    page = await readFile(new URL("docs/runbook.md", PROGRAM_FOLDER), "utf8");
    sections = (chapter) => {
      const [, text = ""] = page.split(`\n## ${chapter}\n`);
      const [own = ""] = text.split(/\n## /);
      const parts = own.split(/\n### /).slice(1);
      return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n"))]));
    };
  });

  it("has a section for each alarm and an alarm for each section", () => {
    assert.deepEqual([...sections("Alarms").keys()].toSorted(), KEYS.toSorted());
    assert.equal(KEYS.length, 18);
  });

  for (const key of KEYS) {
    it(`says of ${key} what it means, what to look at, what to do, and how to see it on a laptop, in this order`, () => {
      const section = sections("Alarms").get(key) ?? "";
      const places = PARTS.map((part) => section.indexOf(`\n**${part}:** `));
      assert.ok(
        places.every((place) => place >= 0),
        `${places}`,
      );
      assert.deepEqual(
        places.toSorted((a, b) => a - b),
        places,
      );
      const laptop = section.slice(places.at(-1));
      const faults = [...laptop.matchAll(/`([a-zA-Z-]+)`/g)].map(([, name = ""]) => name);
      assert.deepEqual(
        faults.filter((name) => !FAULT_NAMES.some((fault) => fault === name)),
        [],
      );
    });
  }

  for (const { key, metrics } of metricAlarms()) {
    it(`names what ${key} looks at`, () => {
      const section = sections("Alarms").get(key) ?? "";
      for (const { name } of Object.values(metrics)) assert.ok(section.includes(`\`${name}\``), name);
    });
  }

  it("is where every alarm and every message of an event links to", async () => {
    const { resources } = await programOf("production");
    const texts = resources.flatMap(({ type, inputs }) => {
      if (type.endsWith(":MetricAlarm")) return [String(inputs.alarmDescription)];
      if (type.endsWith(":EventTarget")) return [JSON.stringify(inputs.inputTransformer)];
      return [];
    });
    const linked = texts.flatMap((text) => [...text.matchAll(/docs\/runbook\.md#([\w-]+)/g)].map(([, key]) => key));
    assert.deepEqual(linked.toSorted(), KEYS.toSorted());
    assert.equal(runbookLink("x", "https://example.com/runbook"), "https://example.com/runbook#x");
  });

  it("has every task that on-call does by hand", () => {
    assert.deepEqual([...sections("Tasks").keys()], TASKS);
  });

  it("links only to headings that it has", () => {
    const anchors = new Set([...page.matchAll(/^#{2,3} (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = ""]) => anchor);
    assert.ok(links.length > 20);
    assert.deepEqual(
      links.filter((anchor) => !anchors.has(anchor)),
      [],
    );
  });

  it("says of each rule which event it hears and whether that needs a trail", () => {
    const rows = [...page.matchAll(/^\| `([\w-]+)` \| `([\w.]+)`, (.+) \| (yes|no) \|$/gm)].map((row) => row.slice(1));
    const events = [
      ...allEventAlarms().map(({ key, event }) => [key, event] as const),
      ["rotations", rotationsSucceeded(SUBJECT)] as const,
    ];
    assert.deepEqual(
      rows,
      events.map(([key, { source, detailType, needsTrail }]) => [key, source, detailType, needsTrail ? "yes" : "no"]),
    );
  });

  it("names only keys of the configuration and outputs of the stack that there are", async () => {
    const declaration = await readFile(new URL("Pulumi.yaml", PROGRAM_FOLDER), "utf8");
    const { outputs } = await programOf("production");
    const said = [...page.matchAll(/`(?:pulumi stack output )?([a-z]+(?:[A-Z][A-Za-z]*)+)`/g)].map(
      ([, name = ""]) => name,
    );
    // Words of AWS, of Pulumi and of the program.
    const others = new Set(["eventName", "invokedBy", "manageMasterUserPassword", "rdsName"]);
    const known = (name: string) => declaration.includes(`\n  ${name}:\n`) || name in outputs || others.has(name);
    assert.deepEqual(
      [...new Set(said)].filter((name) => !known(name)),
      [],
    );
  });
});
