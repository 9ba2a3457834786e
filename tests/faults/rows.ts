import type { FaultRequest } from "../../local/faults.ts";
import { eventually } from "../local/eventually.ts";
import type { End, Row } from "./row.ts";
import type { Stage } from "./stage.ts";

/** How long a fault lasts that is ended by hand: longer than any row. Milliseconds. */
const LONG_MS = 60_000;
export const WINDOW_MS = 3_000;
export const DOWN_MS = 1_500;
export const FAILOVER_SECONDS = 5;
export const SKEW_SECONDS = 1_200;
export const SILENCE_MS = 1_500;

/** Longest pause of the pool between two attempts is a second; the rest is for a machine that is busy. */
const AFTER_A_PAUSE_MS = 3_000;
/** Where there is no pause to sit out. */
const AT_ONCE_MS = 2_000;

/** Lets a fault begin that lasts until it is ended. */
const lasting =
  (request: FaultRequest) =>
  async ({ environment }: Stage): Promise<End> => {
    const { faults } = environment.controlPlane;
    const { id } = await faults.start({ ...request, durationMs: LONG_MS });
    return async () => {
      const endsAt = Date.now();
      await faults.clear(id);
      return endsAt;
    };
  };

/** Lets a fault begin that is over by itself. */
const passing =
  (request: FaultRequest) =>
  async ({ environment }: Stage): Promise<End> => {
    const { faults } = environment.controlPlane;
    const { id, endsAt } = await faults.start(request);
    return async () => {
      await faults.ended(id);
      return endsAt;
    };
  };

/** Rotates the secret, and goes on once the database has the new password. */
async function rotate({ environment, ledger }: Stage): Promise<End> {
  const { user } = environment.declared.database;
  const before = await ledger.passwordOf(user);
  const rotation = environment.controlPlane.rotate({ windowMs: WINDOW_MS });
  rotation.catch(() => {});
  await eventually("the window opens", WINDOW_MS, async () => (await ledger.passwordOf(user)) !== before);
  return async () => (await rotation).promotedAt;
}

/** A fault that only new connections meet: once with those that stand, once with all of them dropped, so that new ones are needed. */
function establishment(row: Omit<Row, "fate">): readonly Row[] {
  const begin = async (stage: Stage): Promise<End> => {
    const end = await row.begin(stage);
    await stage.environment.controlPlane.faults.start({ fault: "drop-every-connection" });
    return end;
  };
  return [
    { ...row, id: `${row.id}, stand`, fate: "stand" },
    { ...row, id: `${row.id}, end`, fate: "end", begin },
  ];
}

/** Every row, in the order of the document. */
export const ROWS: readonly Row[] = [
  ...establishment({
    id: "rotation-window",
    fault: "Rotation window",
    begin: rotate,
    endsByItself: true,
    servesWithinMs: AFTER_A_PAUSE_MS,
  }),
  ...establishment({
    id: "revoked-grant",
    fault: "Revoked and restored grant",
    begin: lasting({ fault: "revoke-grant" }),
    servesWithinMs: AFTER_A_PAUSE_MS,
  }),
  ...establishment({
    id: "iam-throttling",
    fault: "IAM throttling",
    begin: lasting({ fault: "throttle-IAM" }),
    servesWithinMs: AFTER_A_PAUSE_MS,
  }),
  ...establishment({
    id: "expired-credentials",
    fault: "Expired credentials",
    begin: lasting({ fault: "expire-credentials" }),
    servesWithinMs: AFTER_A_PAUSE_MS,
  }),
  ...establishment({
    id: "slow-credentials",
    fault: "Slow credentials endpoint",
    begin: lasting({ fault: "slow-credentials", ms: LONG_MS }),
    servesWithinMs: AFTER_A_PAUSE_MS,
    options: { mintTimeoutMillis: 400 },
  }),
  ...establishment({
    id: "clock-skew",
    fault: "Clock skew",
    begin: lasting({ fault: "clock-skew", seconds: SKEW_SECONDS }),
    servesWithinMs: AFTER_A_PAUSE_MS,
  }),
  ...establishment({
    id: "wrong-ca",
    fault: "Wrong CA",
    begin: lasting({ fault: "replace-CA" }),
    servesWithinMs: AT_ONCE_MS,
  }),
  {
    id: "proxy-restart",
    fault: "Proxy restart",
    fate: "end",
    begin: passing({ fault: "restart-proxy", downMs: DOWN_MS }),
    endsByItself: true,
    servesWithinMs: AFTER_A_PAUSE_MS,
  },
  {
    id: "database-restart",
    fault: "Database restart",
    fate: "end",
    begin: passing({ fault: "restart-database", downMs: DOWN_MS }),
    endsByItself: true,
    // As the database takes longer than the borrow time-out to come back, or not.
    mayFail: ["BORROW_TIMEOUT"],
    servesWithinMs: AFTER_A_PAUSE_MS,
  },
  {
    id: "failover",
    fault: "Failover",
    fate: "end",
    begin: passing({ fault: "failover", seconds: FAILOVER_SECONDS }),
    endsByItself: true,
    servesWithinMs: AFTER_A_PAUSE_MS,
  },
  {
    id: "black-hole",
    fault: "Black hole",
    fate: "silent",
    begin: lasting({ fault: "black-hole" }),
    servesWithinMs: AFTER_A_PAUSE_MS,
    options: { silenceTimeoutMillis: SILENCE_MS, reachTimeoutMillis: 500 },
  },
  {
    id: "reset-in-result",
    fault: "Reset in the middle of a result",
    fate: "end",
    begin: passing({ fault: "drop-every-connection" }),
    reading: true,
    isMomentary: true,
    servesWithinMs: AT_ONCE_MS,
  },
  {
    id: "dropped",
    fault: "Drop of every connection",
    fate: "end",
    begin: passing({ fault: "drop-every-connection" }),
    isMomentary: true,
    servesWithinMs: AT_ONCE_MS,
  },
];
