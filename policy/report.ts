import Table from "cli-table3";
import { type Finding, fails, type Scorecard, type Status } from "./evaluate.ts";
import { label, type Resource } from "./stack.ts";

/** One line of the table: a control and those resources that it says the same of. */
export interface ScorecardRow {
  readonly control: string;
  readonly title: string;
  readonly sources: readonly string[];
  readonly resource: string;
  readonly status: Status;
  readonly says: readonly string[];
}

/** More resources than these are counted by type instead of named. */
const NAMED = 2;

/** The findings, those of one control that passed in one line, and each that failed in a line of its own. */
export function scorecardRows({ findings }: Scorecard): readonly ScorecardRow[] {
  const groups = Map.groupBy(findings, (finding) =>
    finding.status === "pass" || finding.status === "unknown"
      ? `${finding.control.id} ${finding.status}`
      : `${finding.control.id} ${finding.resource?.urn}`,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { control, status } = first;
    const resources = group.flatMap(({ resource }) => resource ?? []);
    const says = status === "pass" ? [] : [...new Set(group.flatMap((finding) => finding.says))];
    return [
      { control: control.id, title: control.title, sources: control.sources, resource: named(resources), status, says },
    ];
  });
}

function named(resources: readonly Resource[]): string {
  if (resources.length <= NAMED) return resources.map(label).join(", ") || "–";
  const types = Map.groupBy(resources, ({ type }) => type.split(":").at(-1) ?? type);
  return [...types].map(([type, of]) => `${of.length} × ${type}`).join(", ");
}

/** The scorecard as text for a terminal, without a line break at the end. */
export function scorecardText(stack: string, scorecard: Scorecard): string {
  const table = new Table({
    head: ["control", "sources", "resource", "result"],
    style: { head: [], border: [], compact: true },
    colWidths: [42, 60, 36, 15],
    wordWrap: true,
  });
  for (const { control, sources, resource, status } of scorecardRows(scorecard)) {
    table.push([control, sources.join(", "), resource, status]);
  }
  const failing = scorecard.findings.filter(fails);
  const mistakes = [
    ...failing.flatMap(({ control, resource, says }) =>
      says.map((violation) => `${control.id}${resource ? `, ${label(resource)}` : ""}: ${violation}`),
    ),
    ...scorecard.registerMistakes.map((mistake) => `exceptions: ${mistake}`),
  ];
  return [
    table.toString(),
    "",
    ...mistakes.map((line) => `  ${line}`),
    summary(stack, scorecard, mistakes.length),
  ].join("\n");
}

function summary(stack: string, { findings }: Scorecard, mistakes: number): string {
  const controls = new Set(findings.map(({ control }) => control.id)).size;
  const accepted = findings.filter(({ status }) => status === "exception").length;
  const verdict = mistakes === 0 ? "PASSED" : "FAILED";
  const count = mistakes === 0 ? "nothing fails" : `${mistakes} ${mistakes === 1 ? "violation" : "violations"}`;
  return `Stack ${stack}: ${verdict}. ${controls} controls, ${accepted} accepted exceptions, ${count}.`;
}

/** The scorecard for a machine. */
export function scorecardJson(stack: string, scorecard: Scorecard): object {
  const passed = scorecard.registerMistakes.length === 0 && !scorecard.findings.some(fails);
  return {
    stack,
    passed,
    findings: scorecard.findings.map(jsonFinding),
    registerMistakes: scorecard.registerMistakes,
  };
}

function jsonFinding({ control, resource, status, says, exception }: Finding): object {
  return {
    control: control.id,
    title: control.title,
    severity: control.severity,
    sources: control.sources,
    ...(resource ? { resource: label(resource), urn: resource.urn } : {}),
    status,
    says,
    ...(exception ? { reviewBy: exception.reviewBy } : {}),
  };
}
