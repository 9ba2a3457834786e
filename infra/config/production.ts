import type { Configuration } from "../config.ts";
import type { ConfigReader } from "./reader.ts";

/** Refuses a production that could lose data or be read on the way. */
export function refuseWeakProduction(read: ConfigReader, { entrance, database }: Configuration): void {
  if (entrance.certificateArn === undefined)
    read.refuse("certificateArn", "", "the ARN of an ACM certificate, in tier production");
  if (!database.multiAz) read.refuse("multiAz", database.multiAz, "true, in tier production");
  if (!database.deletionProtection) read.refuse("deletionProtection", false, "true, in tier production");
  if (database.backupRetentionDays < 7) {
    read.refuse("backupRetentionDays", database.backupRetentionDays, "7 or more, in tier production");
  }
}
