import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";

/** What Node's HTTP parser reports, by its code; anything else is not HTTP. */
const KNOWN: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "HEADERS_TOO_LARGE", "The headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "REQUEST_TIMEOUT", "The request did not arrive in time"],
};
const NOT_HTTP = ["400 Bad Request", "MALFORMED_HTTP", "This is not a valid HTTP request"] as const;

/** Answers what never became a request with an error as every other, then closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.writable && error.code !== "ECONNRESET") {
    const [status, code, message] = KNOWN[error.code ?? ""] ?? NOT_HTTP;
    const requestId = randomUUID();
    const body = JSON.stringify({ error: { code, message, requestId } });
    const headers = [
      "content-type: application/json; charset=utf-8",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      "connection: close",
    ];
    socket.write(`HTTP/1.1 ${status}\r\n${headers.join("\r\n")}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}
