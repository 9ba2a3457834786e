import Table from "cli-table3";
import type { Report, Verdict } from "./report.ts";

/** Borders that every terminal, log file and README can show. */
const asciiBorders = {
  top: "-",
  "top-mid": "+",
  "top-left": "+",
  "top-right": "+",
  bottom: "-",
  "bottom-mid": "+",
  "bottom-left": "+",
  "bottom-right": "+",
  left: "|",
  "left-mid": "+",
  mid: "-",
  "mid-mid": "+",
  right: "|",
  "right-mid": "+",
  middle: "|",
};

const colourCodes: Readonly<Record<Verdict, number>> = { passed: 32, failed: 31, inconclusive: 33, outage: 31 };

/**
 * The report as text for a terminal, without a line break at the end.
 *
 * @param colours whether the verdict is coloured (ANSI): only for a terminal
 */
export function reportText(report: Report, { colours = false }: { readonly colours?: boolean } = {}): string {
  const { totals, latency, verdict } = report;
  const word = verdict.toUpperCase();
  const ofTokens: [string, number][] = [
    ["tokens minted", totals.tokensMinted],
    ["physical connections opened", totals.connections],
    ["connection attempts retried", totals.retries],
    ["db-auth errors", totals.databaseAuthErrors],
  ];
  const parts = [
    rotationsTable(report),
    totalsTable([
      ["requests", totals.requests],
      ["failed requests", totals.failed],
      ...(report.path === "token" ? ofTokens : []),
      ["acknowledged creations", totals.acknowledged],
      ["acknowledged creations missing", totals.missing],
      [
        "latency p50 / p99 / max (ms)",
        latency ? [latency.p50, latency.p99, latency.max].map(rounded).join(" / ") : "-",
      ],
    ]),
    ...(report.failures.length > 0 ? [failuresTable(report)] : []),
    [
      `Verdict: ${colours ? `\u001b[${colourCodes[verdict]};1m${word}\u001b[0m` : word}`,
      ...report.reasons.map((reason) => `  ${reason}`),
    ].join("\n"),
  ];
  return parts.join("\n\n");
}

function rotationsTable({ rotations, path }: Report): string {
  const ofTokens = (...cells: (string | number)[]) => (path === "token" ? cells : []);
  const table = plainTable([
    "rotation",
    "window (ms)",
    "",
    "requests",
    "failed",
    ...ofTokens("connections opened", "retries").map(String),
  ]);
  for (const [index, row] of rotations.entries()) {
    const inside = ofTokens(row.connectionsInside, row.retriesInside);
    const after = ofTokens(row.connectionsAfter, row.retriesAfter);
    table.push(
      [index + 1, rounded(row.windowMs), "inside", row.requestsInside, row.failedInside, ...inside],
      ["", "", "after", row.requestsAfter, row.failedAfter, ...after],
    );
  }
  return table.toString();
}

function totalsTable(rows: readonly (readonly [string, string | number])[]): string {
  const table = plainTable([], ["left", "right"]);
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

function failuresTable({ failures }: Report): string {
  const table = plainTable(["failure", "count", "the first one said"], ["left", "right", "left"]);
  for (const { failure, count, example } of failures) table.push([failure, count, printable(example)]);
  return table.toString();
}

type Alignment = "left" | "right";

function plainTable(head: string[], colAligns?: Alignment[]): Table.Table {
  const numbers: Alignment[] = ["right", "right", "left", "right", "right", "right", "right"];
  // No colours of the table's own, and no rule between rows.
  const style = { head: [], border: [], compact: true };
  return new Table({ head, chars: asciiBorders, style, colAligns: colAligns ?? numbers });
}

function rounded(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : Math.round(ms).toString();
}

/** One short line: what a service says may hold line breaks and control characters. */
function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}
