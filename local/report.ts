import { type FailureGroup, failureGroups, type Outcome } from "./load/outcome.ts";

/** One rotation of the credential. Times are milliseconds since the epoch. */
export interface ObservedRotation {
  /** The database has the new password from here on. */
  readonly startedAt: number;
  /** The secret gives it out from here on: the end of the window in which new connections fail. */
  readonly promotedAt: number;
}

/** Everything that was seen during a run. Times are milliseconds since the epoch, in any order. */
export interface Evidence {
  readonly outcomes: readonly Outcome[];
  readonly rotations: readonly ObservedRotation[];
  /** When physical connections were established, as the proxy (or the database) saw it. */
  readonly connectionsAt: readonly number[];
  /** When the service reported a failed attempt to connect that it retries (`RETRYING`). */
  readonly retriesAt: readonly number[];
  readonly tokensMinted: number;
  /** Events of the logger `db-auth` at level error. */
  readonly databaseAuthErrors: number;
  /** Ids that the service acknowledged as created. */
  readonly acknowledgedIds: readonly string[];
  /** Ids that the database holds in the end. */
  readonly storedIds: Iterable<string>;
}

/**
 * What a run has shown. `outage`: the static password failed, as it must. `inconclusive`: whatever happened, the claim was not put to
 * the test.
 */
export type Verdict = "passed" | "failed" | "inconclusive" | "outage";

/** What happened around one rotation. */
export interface RotationRow {
  readonly windowMs: number;
  /** Requests under way at any time in the window, and how many of them failed. */
  readonly requestsInside: number;
  readonly failedInside: number;
  readonly connectionsInside: number;
  readonly retriesInside: number;
  /** From the end of the window to the next rotation, or to the end of the run. */
  readonly requestsAfter: number;
  readonly failedAfter: number;
  readonly connectionsAfter: number;
  readonly retriesAfter: number;
}

/** Latency of the requests that succeeded, in milliseconds; undefined when none did. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A run, judged. */
export interface Report {
  /** How the service got in: on the path of the static password there is no proxy to count connections, and no token. */
  readonly path: "token" | "password";
  readonly verdict: Verdict;
  /** Why it is that verdict: one sentence each. */
  readonly reasons: readonly string[];
  readonly rotations: readonly RotationRow[];
  readonly failures: readonly FailureGroup[];
  readonly totals: {
    readonly requests: number;
    readonly failed: number;
    readonly connections: number;
    readonly retries: number;
    readonly tokensMinted: number;
    readonly databaseAuthErrors: number;
    readonly acknowledged: number;
    /** Acknowledged ids that the database does not hold. */
    readonly missing: number;
  };
  readonly latency: Latency | undefined;
}

/**
 * Judges a run of the service without a password. It failed when one request failed, one authentication error was logged, or one
 * acknowledged write is missing. Otherwise it passed if every rotation was put to the test: a physical connection attempted inside the window
 * (opened, or refused and retried) and one opened after it. If not, it is inconclusive, since standing connections survive
 * any rotation.
 */
export function judge(evidence: Evidence): Report {
  const summary = { ...summarize(evidence), path: "token" } as const;
  const { failed, databaseAuthErrors, missing, requests } = summary.totals;
  const wrong = [
    ...(failed > 0 ? [`${counted(failed, "request")} of ${requests} failed.`] : []),
    ...(databaseAuthErrors > 0 ? [`The service logged ${counted(databaseAuthErrors, "db-auth error")}.`] : []),
    ...(missing > 0 ? [`Not in the database: ${counted(missing, "acknowledged write")}.`] : []),
  ];
  if (wrong.length > 0) return { ...summary, verdict: "failed", reasons: wrong };
  const untested = [
    ...(requests === 0 ? ["No request was sent."] : []),
    ...(summary.rotations.length === 0 ? ["The credential was not rotated."] : []),
    ...summary.rotations.flatMap((row, index) => gapsOf(row).map((gap) => `Rotation ${index + 1}: ${gap}`)),
  ];
  if (untested.length > 0) return { ...summary, verdict: "inconclusive", reasons: untested };
  const reasons = [`${requests} requests over ${counted(summary.rotations.length, "rotation")}, and none failed.`];
  return { ...summary, verdict: "passed", reasons };
}

/**
 * Judges a run with a static password, whose point is to fail: an outage when requests fail after the first rotation began. It is
 * inconclusive when none did, or when some failed before, since then something else is wrong.
 */
export function judgeStaticPassword(evidence: Evidence): Report {
  const summary = { ...summarize(evidence), path: "password" } as const;
  const first = evidence.rotations.reduce<number>((least, { startedAt }) => Math.min(least, startedAt), Infinity);
  const failures = evidence.outcomes.filter(({ succeeded }) => !succeeded);
  const before = failures.filter((outcome) => endOf(outcome) < first);
  const after = failures.filter((outcome) => endOf(outcome) >= first);
  if (before.length > 0) {
    const reason = `${counted(before.length, "request")} failed before the first rotation: something else is wrong.`;
    return { ...summary, verdict: "inconclusive", reasons: [reason] };
  }
  if (after.length === 0) {
    const reason = `No request failed after the first rotation: no new connection was needed, or there was no rotation.`;
    return { ...summary, verdict: "inconclusive", reasons: [reason] };
  }
  const earliest = after.reduce((least, outcome) => Math.min(least, endOf(outcome)), Infinity);
  const groups = failureGroups(after).map(({ failure, count }) => `${count} x ${failure}`);
  return {
    ...summary,
    verdict: "outage",
    reasons: [
      `The first request failed ${Math.round(earliest - first)} ms after the first rotation began.`,
      `${counted(after.length, "request")} failed from then on: ${groups.join(", ")}.`,
      "Each had needed a new connection, and the password from the start opens none any more: what still answers is what was connected before.",
    ],
  };
}

function summarize(evidence: Evidence): Omit<Report, "verdict" | "reasons" | "path"> {
  const stored = new Set(evidence.storedIds);
  const rotations = [...evidence.rotations].sort((one, other) => one.startedAt - other.startedAt);
  return {
    rotations: rotations.map((rotation, index) =>
      rowOf(evidence, rotation, rotations[index + 1]?.startedAt ?? Infinity),
    ),
    failures: failureGroups(evidence.outcomes),
    totals: {
      requests: evidence.outcomes.length,
      failed: evidence.outcomes.filter(({ succeeded }) => !succeeded).length,
      connections: evidence.connectionsAt.length,
      retries: evidence.retriesAt.length,
      tokensMinted: evidence.tokensMinted,
      databaseAuthErrors: evidence.databaseAuthErrors,
      acknowledged: evidence.acknowledgedIds.length,
      missing: evidence.acknowledgedIds.filter((id) => !stored.has(id)).length,
    },
    latency: latencyOf(evidence.outcomes),
  };
}

function rowOf(evidence: Evidence, { startedAt, promotedAt }: ObservedRotation, next: number): RotationRow {
  const inside = evidence.outcomes.filter((outcome) => outcome.startedAt < promotedAt && endOf(outcome) >= startedAt);
  const after = evidence.outcomes.filter((outcome) => outcome.startedAt >= promotedAt && outcome.startedAt < next);
  const count = (times: readonly number[], from: number, to: number): number =>
    times.filter((time) => time >= from && time < to).length;
  return {
    windowMs: promotedAt - startedAt,
    requestsInside: inside.length,
    failedInside: inside.filter(({ succeeded }) => !succeeded).length,
    connectionsInside: count(evidence.connectionsAt, startedAt, promotedAt),
    retriesInside: count(evidence.retriesAt, startedAt, promotedAt),
    requestsAfter: after.length,
    failedAfter: after.filter(({ succeeded }) => !succeeded).length,
    connectionsAfter: count(evidence.connectionsAt, promotedAt, next),
    retriesAfter: count(evidence.retriesAt, promotedAt, next),
  };
}

function gapsOf(row: RotationRow): string[] {
  return [
    ...(row.connectionsInside + row.retriesInside === 0
      ? ["no physical connection was attempted inside the window, so no new connection met the old secret."]
      : []),
    ...(row.connectionsAfter === 0
      ? ["no physical connection was opened after the window, so the new secret was not used."]
      : []),
  ];
}

/** Nearest rank: the least latency that at least so many of all are within. */
function latencyOf(outcomes: readonly Outcome[]): Latency | undefined {
  const sorted = outcomes.filter(({ succeeded }) => succeeded).map(({ latencyMs }) => latencyMs);
  sorted.sort((one, other) => one - other);
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return sorted.length === 0 ? undefined : { p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}

function endOf(outcome: Outcome): number {
  return outcome.startedAt + outcome.latencyMs;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
