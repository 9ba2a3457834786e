import type { FastifyError } from "fastify";

/** An answer other than success, with a code that clients may rely on. The message is for people and names no internals. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Problem";
    this.status = status;
    this.code = code;
  }
}

export function notFound(what: string, id: string): Problem {
  return new Problem(404, `${what.toUpperCase()}_NOT_FOUND`, `There is no ${what} ${id}`);
}

export function conflict(code: string, message: string): Problem {
  return new Problem(409, code, message);
}

/** The codes of fastify's own errors that a client can cause or meet. */
const FRAMEWORK: Readonly<Record<string, { status: number; code: string; message: string }>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { status: 400, code: "MALFORMED_JSON", message: "The body is not valid JSON" },
  FST_ERR_CTP_EMPTY_JSON_BODY: { status: 400, code: "MALFORMED_JSON", message: "The body is empty: send JSON" },
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: "PAYLOAD_TOO_LARGE", message: "The body is larger than allowed" },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: "Send the body as application/json",
  },
  FST_ERR_HANDLER_TIMEOUT: {
    status: 503,
    code: "REQUEST_DEADLINE",
    message: "The request took longer than allowed and was given up; it may have taken effect",
  },
};

/** What the client is told. Whatever is not known is an internal error without details: those are for the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isFastifyError(error)) {
    const known = FRAMEWORK[error.code];
    if (known) return new Problem(known.status, known.code, known.message, { cause: error });
    if (error.validation) {
      const faults = error.validation.map((fault) =>
        faultText(error.validationContext, fault.instancePath, fault.message),
      );
      return new Problem(400, "VALIDATION", faults.join("; "), { cause: error });
    }
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) {
      return new Problem(status, "BAD_REQUEST", "The request cannot be understood", { cause: error });
    }
  }
  return new Problem(500, "INTERNAL", "Something went wrong on our side", { cause: error });
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** `body name: too long`, `querystring limit: …`: where, which field, what is wrong. */
function faultText(part: string | undefined, path: string, message: string | undefined): string {
  const field = path.split("/").filter(Boolean).join(".");
  return `${[part ?? "request", field].filter(Boolean).join(" ")}: ${message ?? "not valid"}`;
}
