import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { scrubJsonLine } from "./postgres/index.ts";

export interface LoggingOptions {
  readonly level: string;
  /** Known secrets, such as the development password: no line holds one. */
  readonly secrets: readonly string[];
  readonly destination: DestinationStream;
}

/**
 * A logger of JSON lines, each with `level` as a word and an ISO `time`. Every line is scrubbed as a whole just before it is written, so
 * that what a library put into an error's message or stack is scrubbed too.
 */
export function createLogger({ level, secrets, destination }: LoggingOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => scrubJsonLine(line, secrets) },
    },
    destination,
  );
}
