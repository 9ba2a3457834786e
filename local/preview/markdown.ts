import { type Change, type ChangedProperty, type Deed, type Plan, UNTIL_DEPLOYED } from "./plan.ts";

/** What the summary is a preview of. */
export interface Heading {
  readonly stack: string;
  /** Revision whose state the preview starts from; undefined for an empty one. */
  readonly against: string | undefined;
}

/** GitHub takes comments of 65,536 characters ("Body is too long"); whoever posts it may add a line. */
const LONGEST_SUMMARY = 60_000;

/** Longest value that is shown, in characters. */
const LONGEST_VALUE = 2_000;

/** Types that decide who may do what, or which packets pass. */
const GUARDING = [
  /^aws:iam\//,
  /^aws:kms\//,
  /Policy:[A-Za-z]*Policy$/,
  /PublicAccessBlock$/,
  /SecurityGroup[A-Za-z]*$/,
  /:NetworkAcl[A-Za-z]*$/,
];

/** Properties that do so, on whichever type. */
const GUARDING_PROPERTIES =
  /polic(?:y|ies)|securityGroup|cidr|permissionsBoundary|auths|requireTls|publiclyAccessible/i;

const DEEDS: readonly Deed[] = ["replace", "delete", "update", "create", "import", "forget"];

/** A summary for a pull request: replacements first, then what changes who may do what, then the rest. */
export function planMarkdown(plan: Plan, { stack, against }: Heading): string {
  const left = new Set(plan.changes);
  const take = (test: (change: Change) => boolean) => {
    const taken = [...left].filter(test);
    for (const change of taken) left.delete(change);
    return taken;
  };
  const parts = [
    `### Preview of \`${stack}\` ${against === undefined ? "from nothing" : `on the state of ${code(against)}`}`,
    counts(plan),
    ...diagnostics(plan),
    ...section(
      "Replaced",
      take(({ deed }) => deed === "replace"),
    ),
    ...section("Who may do what, and which packets pass", take(isGuarding)),
    ...section(
      "Deleted",
      take(({ deed }) => deed === "delete" || deed === "forget"),
    ),
    ...section(
      "Updated in place",
      take(({ deed }) => deed === "update"),
    ),
    ...collapsed(
      "Created",
      take(() => true),
    ),
  ];
  const whole = `${parts.join("\n\n")}\n`;
  if (whole.length <= LONGEST_SUMMARY) return whole;
  const cut = whole.slice(0, whole.lastIndexOf("\n\n", LONGEST_SUMMARY));
  // A block of code or of details that was cut open would swallow whatever is posted after it.
  const open = [
    (cut.match(/^```/gm)?.length ?? 0) % 2 === 1 ? "\n```" : "",
    unclosed(cut, "details") ? "\n</details>" : "",
  ];
  return `${cut}${open.join("")}\n\n… and more: the summary is cut at ${LONGEST_SUMMARY} characters.\n`;
}

/** Whether a change decides who may do what, or which packets pass. */
export function isGuarding({ type, properties, deed }: Change): boolean {
  if (GUARDING.some((pattern) => pattern.test(type))) return true;
  return deed !== "create" && Object.keys(properties).some((name) => GUARDING_PROPERTIES.test(name));
}

function counts(plan: Plan): string {
  const found = DEEDS.map((deed) => [deed, plan.changes.filter((change) => change.deed === deed).length] as const);
  const told = found.filter(([deed, count]) => count > 0 || !["import", "forget"].includes(deed));
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [
    row([...told.map(([deed]) => deed), "unchanged"]),
    row([...told.map(() => "--:"), "--:"]),
    row([...told.map(([, count]) => count), plan.unchanged]),
  ].join("\n");
}

function diagnostics({ diagnostics: found }: Plan): readonly string[] {
  return found.map(({ severity, message }) => `**${severity}**\n\n${block(message)}`);
}

function section(title: string, changes: readonly Change[]): readonly string[] {
  if (changes.length === 0) return [];
  return [`#### ${title} (${changes.length})`, ...changes.map(description)];
}

function collapsed(title: string, changes: readonly Change[]): readonly string[] {
  if (changes.length === 0) return [];
  const lines = changes.map(({ type, name }) => `- ${code(type)} ${code(name)}`);
  return [`<details><summary>${title} (${changes.length})</summary>`, lines.join("\n"), "</details>"];
}

function description(change: Change): string {
  const { deed, type, name, replacedFor, deletedFirst } = change;
  const reasons = replacedFor.length === 0 ? "" : ` for ${replacedFor.map(code).join(", ")}`;
  const order = deed !== "replace" ? "" : deletedFirst ? ", **the old one deleted first**" : ", the new one made first";
  const what = `- ${deed} ${code(type)} ${code(name)}${reasons}${order}`;
  return [what, ...Object.entries(change.properties).map(([property, values]) => difference(property, values))].join(
    "\n",
  );
}

function difference(property: string, { before, after }: ChangedProperty): string {
  if (after === UNTIL_DEPLOYED) return `  ${code(property)}: known after deployment`;
  const lines = (sign: string, value: unknown) =>
    value === undefined
      ? []
      : pretty(value)
          .split("\n")
          .map((line) => `${sign} ${line}`);
  const changed = withoutCommon(lines("-", before), lines("+", after));
  const indented = block(changed.join("\n"), "diff").replaceAll(/^/gm, "  ");
  return `  ${code(property)}:\n\n${indented}`;
}

/** The lines that differ: policies are long, and mostly as they were. */
function withoutCommon(before: readonly string[], after: readonly string[]): readonly string[] {
  const same = (a: string | undefined, b: string | undefined) => a !== undefined && a.slice(1) === b?.slice(1);
  let start = 0;
  while (same(before[start], after[start])) start++;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && same(before.at(-1 - end), after.at(-1 - end))) end++;
  const context = (lines: readonly string[]) => lines.map((line) => ` ${line.slice(1)}`);
  return [
    ...context(before.slice(Math.max(0, start - 1), start)),
    ...before.slice(start, before.length - end),
    ...after.slice(start, after.length - end),
    ...context(before.slice(before.length - end, before.length - end + 1)),
  ];
}

/** Documents that are JSON in text, as policies are, on lines of their own. */
function pretty(value: unknown): string {
  const text = JSON.stringify(parsed(value), null, 2) ?? "";
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)} …`;
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Text that means itself, on one line: names come from whoever wrote the program. */
function code(text: string): string {
  const plain = text.replaceAll(/[`\r\n|]/g, "?");
  return `\`${plain}\``;
}

/** A block that nothing in the text ends. */
function block(text: string, language = "text"): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function unclosed(text: string, tag: string): boolean {
  return text.split(`<${tag}>`).length > text.split(`</${tag}>`).length;
}
