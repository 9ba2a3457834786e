import Table from "cli-table3";
import { QUANTITIES, type QuantityName } from "./census.ts";
import type { SoakReport } from "./judgement.ts";

/** Samples that are shown at most, evenly spread, the last among them. */
const SHOWN = 6;

const COLOURS: Readonly<Record<SoakReport["verdict"], number>> = { passed: 32, failed: 31, inconclusive: 33 };

/**
 * The report as text for a terminal, without a line break at the end.
 *
 * @param colours whether the verdict is coloured (ANSI): only for a terminal
 */
export function soakText(report: SoakReport, { colours = false }: { readonly colours?: boolean } = {}): string {
  const word = report.verdict.toUpperCase();
  const verdict = colours ? `\u001b[${COLOURS[report.verdict]};1m${word}\u001b[0m` : word;
  const parts = [
    seriesTable(report),
    totalsTable(report),
    ...(report.failures.length > 0 ? [failuresTable(report)] : []),
    [`Verdict: ${verdict}`, ...report.reasons.map((reason) => `  ${reason}`)].join("\n"),
  ];
  return parts.join("\n\n");
}

/** A line is a quantity and a column a sample: the other way round it is too wide for a terminal. */
function seriesTable({ samples, growth }: SoakReport): string {
  const step = Math.ceil(samples.length / SHOWN);
  const shown = samples.filter((_sample, index) => (samples.length - 1 - index) % step === 0);
  const head = ["after rotation", ...shown.map(({ rotation }) => `${rotation}`), "2nd quarter", "last", "allowed"];
  const table = plainTable(head);
  for (const name of Object.keys(QUANTITIES) as QuantityName[]) {
    const judged = growth.find((one) => one.name === name);
    const { label, allowance } = QUANTITIES[name];
    const medians = judged
      ? [rounded(judged.before), `${rounded(judged.after)}${judged.grew ? " !" : ""}`]
      : ["-", "-"];
    table.push([label, ...shown.map(({ values }) => rounded(values[name])), ...medians, `+${allowance}`]);
  }
  return table.toString();
}

function totalsTable({ totals, rotations, felt, forgiven, writes, latency }: SoakReport): string {
  const table = plainTable([]);
  table.push(
    ["rotations", rotations],
    ["windows that were felt", felt],
    ["requests", totals.requests],
    ["failed requests", totals.failed],
    ...(forgiven > 0 ? [["of them OUTCOME_UNKNOWN", forgiven]] : []),
    ["tokens minted", totals.tokensMinted],
    ["physical connections opened", totals.connections],
    ["connection attempts retried", totals.retries],
    ["db-auth errors", totals.databaseAuthErrors],
    ["acknowledged writes", writes.acknowledged],
    ["lost", writes.lost + totals.missing],
    ["doubled", writes.doubled],
    [
      "latency p50 / p99 / max (ms)",
      latency ? [latency.p50, latency.p99, latency.max].map((ms) => Math.round(ms)).join(" / ") : "-",
    ],
  );
  return table.toString();
}

function failuresTable({ failures }: SoakReport): string {
  const table = plainTable(["failure", "count"]);
  for (const { failure, count } of failures) table.push([failure, count]);
  return table.toString();
}

function plainTable(head: string[]): Table.Table {
  // No colours of the table's own, and no rule between rows.
  const style = { head: [], border: [], compact: true };
  return new Table({ head, style, colAligns: ["left", ...Array.from({ length: 20 }, () => "right" as const)] });
}

function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
