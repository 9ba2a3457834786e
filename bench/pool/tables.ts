import Table from "cli-table3";
import { spreadText } from "../statistics.ts";
import type { Aim } from "./aims.ts";
import { BASELINE } from "./contenders.ts";
import { CALLERS, type Plan, WORKS } from "./plan.ts";
import {
  LOAD_QUANTITIES,
  type LoadQuantity,
  loadMeasure,
  missingOf,
  type Results,
  ratioOver,
  spreadOver,
} from "./samples.ts";

/** What a reader must know to read the rows rightly. */
const NOTES = [
  "DSQL connector: its tokens are for another service, and a proxy refuses them. Measured are its pool, its transactions and its signing at",
  "  every check-out, with its default credential chain; its physical connections, and so their first tokens, sign as pg.Pool's do.",
  "postgres.js: with its defaults, which are named prepared statements and pipelining; neither is promised through RDS Proxy.",
  "Transactions with failing statements are rolled back on a connection that is kept, by every contender: the gain is in pool.query.",
  "Never answered: within three seconds of the end of the watch. The drop is a reset of every connection by the proxy.",
  "CPU is that of the client's process alone. RSS is coarse: it moves by pages that the allocator keeps.",
];

/** Every measure as a table, with the ratio to the baseline of the same round. */
export function renderTables(results: Results, plan: Plan): string {
  const parts = [
    `${results.rounds} rounds of ${plan.loadMs} ms a load, ${Math.round(results.tookMs / 1_000)} s in all. ` +
      "Medians of the rounds (least–most); × is the ratio to pg.Pool in the same round.",
  ];
  for (const failing of [false, true])
    for (const work of WORKS)
      parts.push(`${work}${failing ? ", 10 % failing" : ""}\n${loadTable(results, work, failing)}`);
  parts.push(
    `time to the first 10 connections, in a fresh process (ms)\n${table(results, { ms: "connections/first" })}`,
    `recovery after every connection was dropped, under 10 callers (ms; watched for ${plan.afterDropMs} ms)\n${table(
      results,
      {
        "next success": "recovery/nextSuccess",
        "full throughput": "recovery/fullThroughput",
        failed: "recovery/failed",
        "never answered": "recovery/unanswered",
      },
    )}`,
    `memory of an idle connection, ${plan.idleConnections} of them (KiB)\n${table(results, {
      "heap and buffers": "memory/heap",
      RSS: "memory/resident",
    })}`,
    `token mint (ms)\n${table(results, { first: "mint/first", later: "mint/later" })}`,
    NOTES.join("\n"),
  );
  if (results.unexpected.length > 0)
    parts.push(`Figures that are not what they seem:\n${results.unexpected.join("\n")}`);
  if (results.uncaught.length > 0)
    parts.push(`Errors that no caller could catch, and that end a service:\n${results.uncaught.join("\n")}`);
  return parts.join("\n\n");
}

/** The aims, each with PASS or MISS. */
export function renderAims(aims: readonly Aim[]): string {
  const rows = newTable(["aim for RdsIamPool", "measured", ""]);
  for (const { aim, measured, passed } of aims) rows.push([aim, measured, passed ? "PASS" : "MISS"]);
  const met = aims.filter(({ passed }) => passed).length;
  return `${rows}\n${met} of ${aims.length} aims met on this machine, now.`;
}

function loadTable(results: Results, work: (typeof WORKS)[number], failing: boolean): string {
  const rows = newTable(["callers", "", "a second", "×", "p50 ms", "p99 ms", "CPU µs each"]);
  for (const callers of CALLERS) {
    for (const contender of results.contenders) {
      const measureOf = (quantity: LoadQuantity) => loadMeasure({ work, callers, failing }, quantity);
      const [perSecond = "", ...others] = LOAD_QUANTITIES.map((quantity) =>
        spreadText(spreadOver(results, measureOf(quantity), contender)),
      );
      const isFirst = contender === results.contenders[0];
      rows.push([
        isFirst ? callers : "",
        contender,
        perSecond,
        ratio(results, measureOf("perSecond"), contender),
        ...others,
      ]);
    }
  }
  return rows.toString();
}

/** Measures that count, and mostly count nothing: a ratio of them would say less than they do. */
const COUNTS: ReadonlySet<string> = new Set(["recovery/failed", "recovery/unanswered"]);

/** One row a contender, and for each measure its values and, unless it counts, their ratio. */
function table(results: Results, measures: Readonly<Record<string, string>>): string {
  const head = Object.entries(measures).flatMap(([name, measure]) => (COUNTS.has(measure) ? [name] : [name, "×"]));
  const rows = newTable(["", ...head]);
  for (const contender of results.contenders) {
    rows.push([
      contender,
      ...Object.values(measures).flatMap((measure) => {
        const missing = missingOf(results, measure, contender);
        const not = missing > 0 ? `, not seen in ${missing} of ${results.rounds}` : "";
        const values = `${spreadText(spreadOver(results, measure, contender))}${not}`;
        return COUNTS.has(measure) ? [values] : [values, ratio(results, measure, contender)];
      }),
    ]);
  }
  return rows.toString();
}

function ratio(results: Results, measure: string, contender: string): string {
  return contender === BASELINE ? "1" : spreadText(ratioOver(results, measure, contender));
}

function newTable(head: string[]): InstanceType<typeof Table> {
  return new Table({ head, style: { head: [], border: [], compact: true } });
}
