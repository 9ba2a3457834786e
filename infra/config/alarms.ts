import { type ConfigReader, matching } from "./reader.ts";

/** Who is told, and what they are pointed at. */
export interface AlarmsConfiguration {
  readonly email: string | undefined;
  readonly runbookUrl: string;
}

const EMAIL = matching(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address");
const RUNBOOK = matching(/^[^\s#]{1,200}$/, "a path or URL of at most 200 characters, no space, no #");

/** Reads whom the alarms tell. */
export function readAlarms(read: ConfigReader): AlarmsConfiguration {
  return {
    email: read.text("alarmEmail", EMAIL, { optional: true }) || undefined,
    runbookUrl: read.text("runbookUrl", RUNBOOK),
  };
}
