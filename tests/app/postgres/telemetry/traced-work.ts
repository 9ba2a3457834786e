// Runs in a process of its own, since pg can be instrumented only before it is first imported: uses a pool, then sends every span.
import { text } from "node:stream/consumers";
import { Signer } from "@aws-sdk/rds-signer";
import { type Span, trace } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { RdsIamPool, type RdsIamPoolOptions } from "../../../../app/postgres/index.ts";
import { exporter } from "./register-tracing.ts";

/** A span as the test sees it. */
export interface SeenSpan {
  readonly id: string;
  readonly trace: string;
  readonly parent: string | undefined;
  readonly name: string;
  /** All that it says beside. */
  readonly said: Pick<ReadableSpan, "attributes" | "events" | "status">;
}

type Settings = Omit<RdsIamPoolOptions, "signer"> & { readonly port: number };

const settings = JSON.parse(await text(process.stdin)) as {
  readonly pool: Settings;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
};

function createPool(more: Partial<Settings> = {}): RdsIamPool {
  const options = { ...settings.pool, ...more };
  const { host: hostname, port, user: username, region } = options;
  return new RdsIamPool({
    ...options,
    signer: new Signer({ hostname, port, username, region, credentials: settings.credentials }),
  });
}

const tracer = trace.getTracer("test");

function within<T>(name: string, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, async (span: Span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}

const pool = createPool({ max: 1 });
await within("first", () => pool.query("SELECT 1"));
await within("idle", () => pool.query("SELECT 2"));
await within("transaction", () => pool.transaction((client) => client.query("SELECT 3")));
await within(
  "callback",
  () =>
    new Promise((resolve) =>
      pool.query("SELECT 4", [], () => {
        tracer.startSpan("in callback").end();
        resolve(undefined);
      }),
    ),
);
const holder = await within("holder", () => pool.connect());
const queued = within("queued", () => pool.query("SELECT 5"));
await within("releaser", async () => holder.release());
await queued;
await pool.end();

const wide = createPool({ max: 2 });
// Lent until both stand: else one connection could serve both.
const lent = await Promise.all(["one of two", "two of two"].map((name) => within(name, () => wide.connect())));
for (const client of lent) client.release();
await wide.end();

await within("refused", async () => {
  const refused = createPool({ database: "refused", connectRetryMillis: 0 });
  await refused.query("SELECT 6").catch(() => {});
  await refused.end();
});

process.send?.(exporter.getFinishedSpans().map(toSeen));

function toSeen(span: ReadableSpan): SeenSpan {
  const { name, parentSpanContext, attributes, events, status } = span;
  const { spanId: id, traceId } = span.spanContext();
  return { id, trace: traceId, parent: parentSpanContext?.spanId, name, said: { attributes, events, status } };
}
