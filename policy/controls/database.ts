import { type Control, every, mustBeOneOf, mustBeTrue, mustNotBeTrue, unless, wrong } from "../control.ts";
import { isOwnKey } from "../own-keys.ts";
import { makesVpc, reachesInternet } from "../routes.ts";
import { label, type Resource, type Stack } from "../stack.ts";

export const INSTANCE = "aws:rds/instance:Instance";

/** Certificate authorities that RDS issues from now ("Using SSL/TLS to encrypt a connection to a DB instance"). */
const CURRENT_CAS = ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"];

/** Names that whoever guesses tries first. */
const DEFAULT_ADMIN_NAMES = ["postgres", "admin", "administrator", "root", "rdsadmin", "master", "user"];

const BACKUP_DAYS = { production: 7, staging: 1 } as const;

/** How the database is kept: from whom, from loss, and from drift. */
export const DATABASE_CONTROLS: readonly Control[] = [
  {
    id: "database-private",
    title: "The database has no public address",
    sources: ["RDS.2", "CIS 2.3.3", "CKV_AWS_17", "AVD-AWS-0180", "rds_instance_no_public_access"],
    severity: "critical",
    selects: every(INSTANCE),
    check: mustNotBeTrue("publiclyAccessible"),
  },
  {
    id: "database-subnets-isolated",
    title: "Database and proxy are in subnets without a route to the internet",
    sources: ["RDS.46"],
    severity: "high",
    // Of subnets that another made nothing is known here.
    selects: (stack) => (makesVpc(stack) ? stack.ofType("aws:rds/subnetGroup:SubnetGroup", "aws:rds/proxy:Proxy") : []),
    unneeded: (stack) => (makesVpc(stack) ? undefined : "the subnets are not this stack's"),
    check: ({ fields }, stack) =>
      [...fields.texts("subnetIds"), ...fields.texts("vpcSubnetIds")]
        .filter((id) => reachesInternet(stack, id))
        .map((id) => wrong("a subnet with a route to the internet", id, "isolated subnets")),
  },
  {
    id: "database-encrypted",
    title: "The database's storage is encrypted by a key of its own",
    sources: [
      "RDS.3",
      "CIS 2.3.1",
      "CKV_AWS_16",
      "AVD-AWS-0080",
      "AwsSolutions-RDS2",
      "rds_instance_storage_encrypted",
    ],
    severity: "high",
    selects: every(INSTANCE),
    check: ({ fields }, stack) => [
      ...unless(fields.isTrue("storageEncrypted"), "storageEncrypted", fields.value("storageEncrypted"), "true"),
      ...unless(isOwnKey(stack, fields.text("kmsKeyId")), "kmsKeyId", fields.text("kmsKeyId"), "a key of this stack"),
    ],
  },
  {
    id: "database-multi-az",
    title: "The database has a standby in another zone",
    sources: ["RDS.5", "CKV_AWS_157", "AwsSolutions-RDS3", "rds_instance_multi_az"],
    severity: "medium",
    tiers: ["production"],
    staging: "no standby",
    selects: every(INSTANCE),
    check: mustBeTrue("multiAz"),
  },
  {
    id: "database-deletion-protection",
    title: "AWS refuses to delete the database",
    sources: ["RDS.8", "CKV_AWS_293", "AVD-AWS-0177", "AwsSolutions-RDS10", "rds_instance_deletion_protection"],
    severity: "medium",
    tiers: ["production"],
    staging: "may be deleted",
    selects: every(INSTANCE),
    check: mustBeTrue("deletionProtection"),
  },
  {
    id: "database-backups",
    title: "Automated backups of the database are kept for 7 days or more",
    sources: ["RDS.11", "CKV_AWS_133", "AVD-AWS-0077", "AwsSolutions-RDS13", "rds_instance_backup_enabled"],
    severity: "high",
    staging: "1 day or more",
    selects: every(INSTANCE),
    check: ({ fields }, { tier }) => {
      const days = fields.number("backupRetentionPeriod");
      const least = BACKUP_DAYS[tier];
      return unless(days !== undefined && days >= least, "backupRetentionPeriod", days, `${least} or more`);
    },
  },
  {
    id: "database-tags-on-snapshots",
    title: "Snapshots of the database carry its tags",
    sources: ["RDS.17", "CKV2_AWS_60", "rds_instance_copy_tags_to_snapshots"],
    severity: "low",
    selects: every(INSTANCE),
    check: mustBeTrue("copyTagsToSnapshot"),
  },
  {
    id: "database-final-snapshot",
    title: "A database that is deleted leaves a snapshot",
    sources: ['"Deleting a DB instance"'],
    severity: "high",
    selects: every(INSTANCE),
    check: ({ fields }) => [
      ...unless(!fields.isTrue("skipFinalSnapshot"), "skipFinalSnapshot", true, "false"),
      ...unless(fields.has("finalSnapshotIdentifier"), "finalSnapshotIdentifier", undefined, "a name"),
    ],
  },
  {
    id: "database-forces-tls",
    title: "The database refuses connections without TLS",
    sources: ["RDS.38", "CKV2_AWS_69", "rds_instance_transport_encrypted"],
    severity: "high",
    selects: every(INSTANCE),
    check: forcesTls,
  },
  {
    id: "database-minor-upgrades",
    title: "AWS applies minor versions of the engine",
    sources: ["RDS.13", "CIS 2.3.2", "CKV_AWS_226", "rds_instance_minor_version_upgrade_enabled"],
    severity: "medium",
    selects: every(INSTANCE),
    check: mustBeTrue("autoMinorVersionUpgrade"),
  },
  {
    id: "database-admin-name",
    title: "The database's master user has a name of its own",
    sources: ["RDS.25", "rds_instance_default_admin"],
    severity: "medium",
    selects: every(INSTANCE),
    check: ({ fields }) => {
      const name = fields.text("username");
      const own = name !== undefined && !DEFAULT_ADMIN_NAMES.includes(name.toLowerCase());
      return unless(own, "username", name, `none of ${DEFAULT_ADMIN_NAMES.join(", ")}`);
    },
  },
  {
    id: "database-current-ca",
    title: "The database's certificate is of a current authority",
    sources: ["CKV_AWS_211", "rds_instance_certificate_expiration"],
    severity: "medium",
    selects: every(INSTANCE),
    check: mustBeOneOf("caCertIdentifier", CURRENT_CAS),
  },
  {
    id: "database-iam-authentication",
    title: "The database admits users by IAM authentication",
    sources: ["RDS.10", "CKV_AWS_161", "AVD-AWS-0176", "rds_instance_iam_authentication_enabled"],
    severity: "medium",
    selects: every(INSTANCE),
    check: mustBeTrue("iamDatabaseAuthenticationEnabled"),
  },
];

function forcesTls({ fields }: Resource, stack: Stack): readonly string[] {
  const name = fields.text("parameterGroupName");
  const group = stack.find("aws:rds/parameterGroup:ParameterGroup", "name", name);
  if (group === undefined) return [wrong("parameterGroupName", name, "a parameter group of this stack")];
  const forced = group.fields.list("parameters").find((parameter) => parameter.text("name") === "rds.force_ssl");
  return unless(forced?.text("value") === "1", `rds.force_ssl of ${label(group)}`, forced?.text("value"), "1");
}
