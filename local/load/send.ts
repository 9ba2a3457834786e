import http from "node:http";
import { generatorCodes, type Outcome } from "./outcome.ts";
import type { PlannedRequest } from "./workload.ts";

/** How much of an answer is kept for a failure's message, in bytes. */
const keptBytes = 4_096;

/** A request on its way. */
export interface SentRequest {
  /** Breaks it off; it counts as failed with this code. */
  giveUp(code: string, message: string): void;
}

/** Sends one request; `settle` is called exactly once, and never before this returns. */
export function sendRequest(
  url: string,
  planned: PlannedRequest,
  agent: http.Agent,
  timeoutMs: number,
  settle: (outcome: Outcome) => void,
): SentRequest {
  const startedAt = Date.now();
  const before = performance.now();
  let status: number | undefined;
  const answer: Buffer[] = [];
  let kept = 0;
  const request = http.request(new URL(planned.path, url), {
    agent,
    method: planned.method,
    headers: planned.body === undefined ? {} : bodyHeaders(planned.body),
  });
  let settled = false;
  const end = (error: NodeJS.ErrnoException | undefined): void => {
    if (settled) return;
    settled = true;
    clearTimeout(late);
    const outcome = { kind: planned.kind, startedAt, latencyMs: performance.now() - before };
    const seen = status === undefined ? {} : { status };
    if (error === undefined && status === planned.expectedStatus) {
      planned.acknowledged?.();
      settle({ ...outcome, ...seen, succeeded: true });
    } else {
      const text = Buffer.concat(answer).toString();
      const errorCode = error ? (error.code ?? error.name) : codeOf(text);
      const message = (error?.message ?? text).slice(0, 300);
      settle({ ...outcome, ...seen, succeeded: false, ...(errorCode !== undefined && { errorCode }), message });
    }
  };
  const giveUp = (code: string, message: string): void => {
    end(Object.assign(new Error(message), { code }));
    request.destroy();
  };
  const late = setTimeout(() => giveUp(generatorCodes.timeout, `no whole answer within ${timeoutMs} ms`), timeoutMs);
  request.once("response", (response) => {
    status = response.statusCode;
    response.on("data", (chunk: Buffer) => {
      if (status === planned.expectedStatus || kept >= keptBytes) return;
      answer.push(chunk.subarray(0, keptBytes - kept));
      kept += chunk.length;
    });
    response.once("end", () => end(undefined));
    // An answer that breaks off is a failure, whatever its status was.
    response.once("error", (error: NodeJS.ErrnoException) => end(error));
  });
  request.on("error", (error: NodeJS.ErrnoException) => end(error));
  request.end(planned.body);
  return { giveUp };
}

function bodyHeaders(body: string): http.OutgoingHttpHeaders {
  return { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
}

/** The code of the service's error body, `{"error": {"code", …}}`. */
function codeOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown } };
    return typeof error?.code === "string" ? error.code : undefined;
  } catch {
    return undefined;
  }
}
