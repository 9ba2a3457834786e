import type { Configuration } from "../config.ts";
import type { ConfigReader } from "./reader.ts";

/** Days of logs that an investigation may ask for ("CloudWatch.16", AWS Foundational Security Best Practices). */
const YEAR_OF_LOGS = 365;

/** Refuses a production that could lose data or be read on the way. */
export function refuseWeakProduction(
  read: ConfigReader,
  { entrance, database, logRetentionDays }: Configuration,
): void {
  if (entrance.certificateArn === undefined)
    read.refuse("certificateArn", "", "the ARN of an ACM certificate, in tier production");
  if (!database.multiAz) read.refuse("multiAz", database.multiAz, "true, in tier production");
  if (!database.deletionProtection) read.refuse("deletionProtection", false, "true, in tier production");
  if (database.backupRetentionDays < 7) {
    read.refuse("backupRetentionDays", database.backupRetentionDays, "7 or more, in tier production");
  }
  if (logRetentionDays < YEAR_OF_LOGS) {
    read.refuse("logRetentionDays", logRetentionDays, `${YEAR_OF_LOGS} or more, in tier production`);
  }
}
