import type { Control } from "./control.ts";
import { NotKnownYet } from "./fields.ts";
import { type Exception, isCurrent, registerMistakes } from "./register.ts";
import { label, type Resource, type Stack } from "./stack.ts";

/**
 * - `pass`, `fail`: looked at.
 * - `exception`: it fails, and the register accepts that.
 * - `unknown`: a value that it reads is known only after the deployment. It does not fail.
 * - `not evaluated`: there was nothing to look at. That fails: a control that sees nothing protects nothing.
 * - `not applicable`: there was nothing to look at, and the control says why that is right.
 */
export type Status = "pass" | "fail" | "exception" | "unknown" | "not evaluated" | "not applicable";

/** What a control says of one resource, or of having none. */
export interface Finding {
  readonly control: Control;
  /** Undefined where there was nothing to look at. */
  readonly resource: Resource | undefined;
  readonly status: Status;
  /** What is wrong, in words; for `unknown` and `not applicable` why. */
  readonly says: readonly string[];
  /** The entry of the register, also one that no longer counts. */
  readonly exception?: Exception;
  /** The error of the policy SDK behind `unknown`. */
  readonly cause?: unknown;
}

export interface Scorecard {
  readonly findings: readonly Finding[];
  /** What is wrong with the register of exceptions: it fails too. */
  readonly registerMistakes: readonly string[];
}

export interface EvaluateOptions {
  readonly controls: readonly Control[];
  readonly exceptions: readonly Exception[];
  /** The day that review dates are compared with. */
  readonly today: Date;
}

/** Evaluates every control that holds for the stack's tier. Never throws for what a stack declares. */
export function evaluateControls(stack: Stack, options: EvaluateOptions): Scorecard {
  const { controls, exceptions, today } = options;
  const findings = controls.flatMap((control) => evaluateControl(stack, control, exceptions, today));
  const ids = controls.map(({ id }) => id);
  const held = exceptions.filter(({ control }) =>
    controls.some(({ id, tiers }) => id === control && holds(tiers, stack)),
  );
  return {
    findings,
    registerMistakes: [...registerMistakes(exceptions, ids), ...held.flatMap((entry) => unused(entry, findings))],
  };
}

/** Evaluates one control, with the exceptions that are registered for it. */
export function evaluateControl(
  stack: Stack,
  control: Control,
  exceptions: readonly Exception[],
  today: Date,
): readonly Finding[] {
  if (!holds(control.tiers, stack)) return [];
  const selected = attempt(() => control.selects(stack));
  if (selected.value === undefined) return [{ control, resource: undefined, ...judged(selected) }];
  if (selected.value.length === 0) {
    const reason = control.unneeded?.(stack);
    if (reason !== undefined) return [{ control, resource: undefined, status: "not applicable", says: [reason] }];
    return [{ control, resource: undefined, status: "not evaluated", says: ["it matched no resource of the stack"] }];
  }
  return selected.value.map((resource) => {
    const finding: Finding = { control, resource, ...judged(attempt(() => control.check(resource, stack))) };
    if (finding.status !== "fail") return finding;
    const name = label(resource);
    const exception = exceptions.find((entry) => entry.control === control.id && entry.resource === name);
    if (exception === undefined) return finding;
    if (isCurrent(exception, today)) return { ...finding, status: "exception", exception };
    const expired = `its exception expired: it was to be reviewed by ${exception.reviewBy}`;
    return { ...finding, says: [...finding.says, expired], exception };
  });
}

/** Whether a finding keeps the stack from being deployed. */
export function fails({ status }: Finding): boolean {
  return status === "fail" || status === "not evaluated";
}

function holds(tiers: Control["tiers"], { tier }: Stack): boolean {
  return tiers === undefined || tiers.includes(tier);
}

interface Attempt<T> {
  readonly value?: T;
  readonly error?: unknown;
}

function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

function judged({ value, error }: Attempt<readonly unknown[]>): Pick<Finding, "status" | "says" | "cause"> {
  if (error instanceof NotKnownYet) return { status: "unknown", says: [error.message], cause: error.cause };
  if (value === undefined) return { status: "fail", says: [`it could not be read: ${messageOf(error)}`] };
  return { status: value.length === 0 ? "pass" : "fail", says: value.map(String) };
}

function unused({ control, resource }: Exception, findings: readonly Finding[]): readonly string[] {
  const ofControl = findings.filter((finding) => finding.control.id === control);
  // A control that cannot know yet may still need its exception.
  if (ofControl.some(({ status }) => status === "unknown")) return [];
  if (ofControl.some(({ exception }) => exception?.resource === resource)) return [];
  return [`the exception for ${control} on ${resource} matches nothing: remove it from policy/exceptions.ts`];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
