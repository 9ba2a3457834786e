import { type ConfigReader, matching } from "./reader.ts";

/** What holds for every role of the stack. */
export interface RolesConfiguration {
  /** Managed policy that bounds every role; undefined bounds none. */
  readonly permissionsBoundaryArn: string | undefined;
}

/** A managed policy, of the account or of AWS, in any partition; path and name as "CreatePolicy" takes them. */
const MANAGED_POLICY = matching(
  /^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/(?:[\x21-\x7e]{1,510}\/)?[\w+=,.@-]{1,128}$/,
  "the ARN of a managed policy such as arn:aws:iam::123456789012:policy/boundary",
);

/** Reads what holds for every role. */
export function readRoles(read: ConfigReader): RolesConfiguration {
  return {
    permissionsBoundaryArn: read.text("permissionsBoundaryArn", MANAGED_POLICY, { optional: true }) || undefined,
  };
}
