import type { RdsIamPool } from "../../app/postgres/index.ts";
import { eventually } from "../local/eventually.ts";
import { countListeners, type Listeners, leftAtEnd, leftOvers } from "./census.ts";
import type { Ledger } from "./ledger.ts";
import type { Answered, Cell, Row, RowResult } from "./row.ts";
import { type Asked, type Met, SITUATIONS, type Situation } from "./situations.ts";
import type { Stage } from "./stage.ts";
import { type Told, toldByError } from "./told.ts";

/** How long a fault may take to be met, and callers to be told; milliseconds. */
const LIMIT_MS = 20_000;
/** How many failed attempts show that a caller is kept waiting. */
const ATTEMPTS = 2;

/** A situation with the fault ahead. */
interface Place {
  readonly situation: Situation;
  readonly pool: RdsIamPool;
  readonly application: string;
  readonly met: Met;
  readonly listeners: Listeners;
  /** Attempts to connect that failed so far. */
  readonly failures: Failure[];
  readonly inquiries: Inquiry[];
}

/** Why an attempt to connect failed, and whether the pool makes another. */
interface Failure {
  readonly reason: string;
  readonly retried: boolean;
}

/** What was asked, and what the caller was told, once that is known. */
interface Inquiry {
  readonly asked: Asked;
  told: (Told & { readonly at: number }) | undefined;
  readonly settled: Promise<void>;
}

/** Lets a fault strike every situation at once, a pool each, and says what came of them. */
export async function runRow(row: Row, stage: Stage): Promise<RowResult> {
  const places = await Promise.all(SITUATIONS.map((situation) => come(row, situation, stage)));
  const end = await row.begin(stage);
  await Promise.all(places.map((place) => strike(place, row, stage)));
  if (!row.endsByItself && !row.isMomentary)
    await eventually("everyone is told, or kept waiting", LIMIT_MS, () => places.every(hasMet));
  const reasonsBefore = places.map((place) => reasonsOf(place, row));
  const endsAt = await end();
  const endedAt = performance.now();
  // Whatever fails after a fault was ended by hand may have met its last moment, or not.
  const reasons = row.endsByItself ? places.map((place) => reasonsOf(place, row)) : reasonsBefore;
  const served = await Promise.all(places.map((place) => servesAgain(place, endedAt)));
  const left = await Promise.all(
    places.map(({ pool, application, listeners }) => leftOvers(pool, application, stage.ledger, listeners)),
  );
  const answers = await Promise.all(places.map((place) => lookUp(place, endsAt, stage)));
  const sockets = await countSockets(places, stage);
  await Promise.all(places.map(({ pool }) => pool.end()));
  const ended = await Promise.all(places.map((place) => afterEnd(place, stage)));
  const cells = places.map(
    ({ situation: { name } }, n): Cell => ({
      situation: name,
      answers: answers[n] ?? [],
      reasons: reasons[n] ?? [],
      servedAfterMs: served[n] ?? Number.POSITIVE_INFINITY,
      left: [...(left[n] ?? []), ...sockets, ...(ended[n] ?? [])],
    }),
  );
  return { id: row.id, cells };
}

async function come(row: Row, situation: Situation, { ledger, createPool }: Stage): Promise<Place> {
  const application = `${row.id}: ${situation.name}`.slice(0, 63);
  const failures: Failure[] = [];
  const note = (retried: boolean) => (fields: object) => {
    if ("reason" in fields && typeof fields.reason === "string") failures.push({ reason: fields.reason, retried });
  };
  const log = { info: note(true), warn: () => {}, error: note(false) };
  const pool = createPool({ max: situation.max, application_name: application, log, ...row.options });
  const listeners = await countListeners(pool);
  const met = await situation.come({ pool, ledger, reading: row.reading === true });
  failures.length = 0;
  return { situation, pool, application, met, listeners, failures, inquiries: met.asked.map(inquire) };
}

function inquire(asked: Asked): Inquiry {
  const isTransaction = asked.what === "transaction";
  const tell = (told: Told) => {
    inquiry.told = { ...told, at: Date.now() };
  };
  const settled = asked.answer.then(
    () => tell({ text: "answered", belief: "done" }),
    (error: unknown) => tell(toldByError(error, isTransaction)),
  );
  const inquiry: Inquiry = { asked, settled, told: undefined };
  return inquiry;
}

/** Goes on in a situation while the fault is in effect. */
async function strike({ met, inquiries }: Place, { fate }: Row, { ledger }: Stage): Promise<void> {
  const [first] = inquiries;
  if (fate === "end") {
    await eventually("the client sees that its connection is gone", LIMIT_MS, () => met.sawLoss());
    // The statement that holds a connection is given up with it.
    if (met.gate !== undefined && first) await isTold(first, ledger);
  }
  inquiries.push(...met.strike().map(inquire));
  if (met.gate === undefined) return;
  if (fate === "silent" && first) await isTold(first, ledger);
  await ledger.open(met.gate);
}

/** Waits until the caller is told, or the database has begun a second time what must be done once: then the gate may open too. */
async function isTold(inquiry: Inquiry, ledger: Ledger): Promise<void> {
  const { writes } = inquiry.asked;
  const beganTwice = async () => {
    const tallies = await Promise.all(writes.map((id) => ledger.tally(id)));
    return tallies.some(({ begun }) => begun > 1);
  };
  // The database may be away.
  const isOver = async () => inquiry.told !== undefined || (await beganTwice().catch(() => false));
  await eventually("the caller is told", LIMIT_MS, isOver);
}

/** Whether a situation has come to rest, or to what keeps it waiting. */
function hasMet({ inquiries, failures }: Place): boolean {
  const retries = failures.filter(({ retried }) => retried).length;
  return inquiries.every(({ told }) => told !== undefined) || retries >= ATTEMPTS;
}

function reasonsOf({ failures }: Place, { mayFail = [] }: Row): readonly string[] {
  const reasons = new Set(failures.map(({ reason }) => reason));
  return [...reasons].filter((reason) => !mayFail.includes(reason)).sort();
}

/** Milliseconds from the end of the fault until everyone was told and one more statement was answered. */
async function servesAgain({ pool, inquiries }: Place, endedAt: number): Promise<number> {
  await within(Promise.all([pool.query("SELECT 1"), ...inquiries.map(({ settled }) => settled)]), "it serves again");
  return performance.now() - endedAt;
}

async function lookUp({ inquiries }: Place, endsAt: number, { ledger }: Stage): Promise<readonly Answered[]> {
  return Promise.all(
    inquiries.map(async ({ asked: { what, writes }, told }) => {
      if (told === undefined) throw new Error(`The caller of a ${what} was never told anything`);
      const { text, belief, at } = told;
      const tallies = await Promise.all(writes.map((id) => ledger.tally(id)));
      return { what, told: text, belief, during: at < endsAt, writes: tallies };
    }),
  );
}

/** The proxy does not tell whose sockets are whose, so all pools are looked at together. */
async function countSockets(places: readonly Place[], { environment }: Stage): Promise<readonly string[]> {
  const connections = places.reduce((sum, { pool }) => sum + pool.totalCount, 0);
  const sockets = () => environment.proxy.metrics().ClientConnections;
  const areSame = () => sockets() === connections;
  await eventually("a socket for each connection", LIMIT_MS, areSame).catch(() => {});
  return areSame() ? [] : [`${sockets()} sockets at the proxy for ${connections} connections`];
}

async function afterEnd({ pool, application }: Place, { environment, ledger }: Stage): Promise<readonly string[]> {
  const { proxy } = environment;
  return leftAtEnd({
    connections: () => pool.totalCount,
    backends: () => ledger.backendsOf(application),
    "sockets at the proxy": () => proxy.metrics().ClientConnections,
  });
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Not within ${LIMIT_MS} ms: ${what}`)), LIMIT_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
