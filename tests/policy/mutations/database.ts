import { condition, principal } from "../../infra/iam/widen.ts";
import { copy, drop, type Mutation, output, restate, set } from "./mutation.ts";

const database = (changes: Readonly<Record<string, unknown>>) => set("Instance", "database", changes);

type Parameters = readonly { readonly name: string }[];

/** Slips at the database, its secret and the keys. */
export const DATABASE_MUTATIONS: readonly Mutation[] = [
  { control: "database-private", says: "a public address", mutate: database({ publiclyAccessible: true }) },
  {
    control: "database-subnets-isolated",
    says: "a public subnet among the database's",
    mutate: (program) =>
      set("SubnetGroup", "database", ({ subnetIds }) => ({
        subnetIds: [...(subnetIds as string[]), output(program, "aws:ec2/subnet:Subnet", "network-vpc-public-1", "id")],
      }))(program),
  },
  { control: "database-encrypted", says: "storage in the clear", mutate: database({ storageEncrypted: false }) },
  { control: "database-multi-az", says: "no standby", mutate: database({ multiAz: false }) },
  { control: "database-deletion-protection", says: "deletable", mutate: database({ deletionProtection: false }) },
  { control: "database-backups", says: "six days of backups", mutate: database({ backupRetentionPeriod: 6 }) },
  {
    control: "database-tags-on-snapshots",
    says: "bare snapshots",
    mutate: database({ copyTagsToSnapshot: undefined }),
  },
  { control: "database-final-snapshot", says: "no last snapshot", mutate: database({ skipFinalSnapshot: true }) },
  {
    control: "database-forces-tls",
    says: "rds.force_ssl left to the default",
    mutate: set("ParameterGroup", "database", ({ parameters }) => ({
      parameters: (parameters as Parameters).filter(({ name }) => name !== "rds.force_ssl"),
    })),
  },
  {
    control: "database-minor-upgrades",
    says: "minor versions by hand",
    mutate: database({ autoMinorVersionUpgrade: false }),
  },
  {
    control: "database-admin-name",
    says: "a master user postgres",
    mutate: database({ username: "postgres" }),
    // The grant then names another user than the secret's, and the exception for the master user has no cause any more.
    also: ["connect-as-secrets-user", "exceptions"],
  },
  { control: "database-current-ca", says: "an old authority", mutate: database({ caCertIdentifier: "rds-ca-2019" }) },
  {
    control: "database-iam-authentication",
    says: "a second database without IAM authentication",
    mutate: copy("Instance", "database", "reporting"),
  },
  {
    control: "database-logs-exported",
    says: "one log not exported",
    mutate: database({ enabledCloudwatchLogsExports: ["postgresql"] }),
  },
  {
    control: "database-enhanced-monitoring",
    says: "no enhanced monitoring",
    mutate: database({ monitoringInterval: 0 }),
  },
  { control: "database-insights", says: "no insights", mutate: database({ performanceInsightsEnabled: false }) },
  {
    control: "database-events-told",
    says: "failures not told",
    mutate: (program) => {
      const name = program.resources.find(({ type }) => type.endsWith(":EventSubscription"))?.name ?? "";
      return set("EventSubscription", name, { eventCategories: ["maintenance"] })(program);
    },
  },
  {
    control: "database-secret-managed",
    says: "the master password left to someone",
    mutate: database({ manageMasterUserPassword: undefined }),
  },
  { control: "no-password-anywhere", says: "a password", mutate: database({ password: "not-a-real-one" }) },
  {
    control: "keys-rotate",
    says: "a key for ever",
    mutate: set("Key", "database-storage", { enableKeyRotation: false }),
  },
  {
    control: "keys-trust-account-only",
    says: "a key for everyone",
    mutate: restate(["Key", "database-secret"], 0, principal({ AWS: "*" })),
  },
  {
    control: "keys-condition-services",
    says: "the alarms' key for events of any account",
    mutate: restate(["Key", "observability-alarms"], 2, condition(undefined)),
  },
  {
    control: "keys-own-for-topics",
    says: "the topic under AWS's own key",
    mutate: set("Topic", "observability-alarms", { kmsMasterKeyId: "alias/aws/sns" }),
  },
  { control: "logs-retained", says: "a month of logs", mutate: set("LogGroup", "service", { retentionInDays: 30 }) },
  {
    control: "proxy-log-retained",
    says: "a month of the proxy's log",
    mutate: set("LogGroup", "proxy", { retentionInDays: 30 }),
    also: ["logs-retained"],
  },
  { control: "database-logs-exported", says: "a log left to AWS", mutate: drop("LogGroup", "database-upgrade") },
];
