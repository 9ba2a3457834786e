import type { Logger } from "pino";
import { createLogger } from "../../app/logging.ts";

/** One line that was written. */
export type Line = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg?: string };

/** A logger as the service has it, and everything that it wrote. */
export interface CapturedLog {
  readonly logger: Logger;
  /** All that was written, as text. */
  text(): string;
  lines(): readonly Line[];
  /** The events of the pool, or those of one level. */
  events(level?: string): readonly Line[];
}

export function captureLog(secrets: readonly string[] = []): CapturedLog {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const lines = () => written.map((line) => JSON.parse(line) as Line);
  return {
    logger: createLogger({ level: "trace", secrets, destination }),
    text: () => written.join(""),
    lines,
    events: (level) => lines().filter((line) => line.logger === "db-auth" && (!level || line.level === level)),
  };
}
