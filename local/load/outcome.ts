import type { RequestKind } from "./workload.ts";

/** What became of one request. */
export interface Outcome {
  readonly kind: RequestKind;
  /** When it was sent, as milliseconds since the epoch. */
  readonly startedAt: number;
  /** Until the whole answer was read, or until it failed. */
  readonly latencyMs: number;
  /** Whether the answer had the one status that the request asks for. Anything else is a failure. */
  readonly succeeded: boolean;
  /** Status of the answer, if there was one. */
  readonly status?: number;
  /** Code in the answer's error body, or of the error that left the request without an answer. */
  readonly errorCode?: string;
  /** What the answer or the error said, cut to 300 characters. Only for a failure. */
  readonly message?: string;
}

/** Codes of requests that this end gave up. */
export const generatorCodes = {
  /** Too many requests were on their way: this one was not sent. */
  saturated: "GENERATOR_SATURATED",
  /** No whole answer within the client's time-out. */
  timeout: "CLIENT_TIMEOUT",
  /** Still on its way when the load was stopped and the limit for that had passed. */
  stopped: "CLIENT_STOPPED",
} as const;

/** Failures that look alike. */
export interface FailureGroup {
  /** Status and code, such as `500 DATABASE_UNAVAILABLE`, or the code alone when no answer came. */
  readonly failure: string;
  readonly count: number;
  /** What the first of them said. */
  readonly example: string;
}

/** The failures among outcomes, by status and code, most frequent first. */
export function failureGroups(outcomes: readonly Outcome[]): FailureGroup[] {
  const groups = new Map<string, { count: number; example: string }>();
  for (const { succeeded, status, errorCode, message } of outcomes) {
    if (succeeded) continue;
    const failure = [status, errorCode].filter((part) => part !== undefined).join(" ") || "unknown";
    const group = groups.get(failure);
    if (group) group.count++;
    else groups.set(failure, { count: 1, example: message ?? "" });
  }
  return [...groups]
    .map(([failure, group]) => ({ failure, ...group }))
    .sort((one, other) => other.count - one.count || one.failure.localeCompare(other.failure));
}
