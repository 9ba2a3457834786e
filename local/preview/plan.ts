import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { UNKNOWN } from "../awsx/composition.ts";
import { isSame } from "../engine/protocol.ts";

/** What a deployment would do to one resource. */
export type Deed = "create" | "update" | "replace" | "delete" | "import" | "forget";

/** One property before and after; undefined where it is not there. */
export interface ChangedProperty {
  readonly before: unknown;
  /** {@link UNTIL_DEPLOYED} where only the deployment will tell. */
  readonly after: unknown;
}

export interface Change {
  readonly deed: Deed;
  readonly urn: string;
  readonly type: string;
  /** Logical name. */
  readonly name: string;
  /** Properties that force the replacement, in the program's spelling. */
  readonly replacedFor: readonly string[];
  /** Inputs that change, of what is updated or replaced. */
  readonly properties: Readonly<Record<string, ChangedProperty>>;
  /** Whether the old resource goes before the new one stands: an interruption. Only of replacements. */
  readonly deletedFirst: boolean;
}

/** All that a deployment would do, in the order in which the engine comes to it. */
export interface Plan {
  readonly changes: readonly Change[];
  /** How many resources stay as they are. */
  readonly unchanged: number;
  /** Errors and warnings of the engine, the program and policies, each once. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly message: string;
}

/** In place of a value that only the deployment will tell. */
export const UNTIL_DEPLOYED = "(known after deployment)";

type Step = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];

/** What the engine calls the steps, and what they come to. A replacement is three of them. */
const DEEDS: Readonly<Record<string, Deed>> = {
  create: "create",
  update: "update",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  delete: "delete",
  import: "import",
  "import-replacement": "replace",
  forget: "forget",
};

/** Reads a plan from the events of a preview. */
export function planOf(events: readonly EngineEvent[]): Plan {
  const steps = events.flatMap(({ resourcePreEvent }) => (resourcePreEvent ? [resourcePreEvent.metadata] : []));
  const byUrn = new Map<string, Step[]>();
  for (const step of steps.filter(({ op }) => DEEDS[op] !== undefined)) {
    byUrn.set(step.urn, [...(byUrn.get(step.urn) ?? []), step]);
  }
  return {
    changes: [...byUrn.values()].map(changeOf),
    unchanged: steps.filter(({ op }) => op === "same").length,
    diagnostics: diagnosticsOf(events),
  };
}

function changeOf(steps: readonly Step[]): Change {
  const [first] = steps as [Step, ...Step[]];
  const deed = DEEDS[first.op] as Deed;
  const told = steps.find(({ keys, diffs }) => (keys?.length ?? 0) + (diffs?.length ?? 0) > 0) ?? first;
  const operations = steps.map(({ op }) => String(op));
  return {
    deed,
    urn: first.urn,
    type: first.type,
    name: first.urn.split("::").slice(3).join("::"),
    replacedFor: deed === "replace" ? [...(told.keys ?? [])] : [],
    properties: deed === "update" || deed === "replace" ? changedProperties(told) : {},
    deletedFirst: deed === "replace" && operations[0] === "delete-replaced",
  };
}

function changedProperties({ old, new: next }: Step): Change["properties"] {
  const [before, after] = [old?.inputs ?? {}, next?.inputs ?? {}];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !name.startsWith("__"));
  const changed = names.filter((name) => !isSame(before[name], after[name]));
  return Object.fromEntries(changed.map((name) => [name, { before: told(before[name]), after: told(after[name]) }]));
}

/** A value in words for what is not known, at every depth. */
function told(value: unknown): unknown {
  if (value === UNKNOWN) return UNTIL_DEPLOYED;
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, told(inner)]));
}

function diagnosticsOf(events: readonly EngineEvent[]): readonly Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  const add = (severity: string, message: string) => {
    // The engine colours its messages with tags such as <{%reset%}>.
    const text = message.replace(/<\{%.*?%\}>/g, "").trim();
    if (severity !== "error" && severity !== "warning") return;
    if (text !== "") found.set(`${severity} ${text}`, { severity, message: text });
  };
  for (const { diagnosticEvent, policyEvent } of events) {
    if (diagnosticEvent) add(diagnosticEvent.severity, diagnosticEvent.message);
    if (policyEvent)
      add(
        policyEvent.enforcementLevel === "mandatory" ? "error" : "warning",
        `${policyEvent.policyName}: ${policyEvent.message}`,
      );
  }
  return [...found.values()];
}
