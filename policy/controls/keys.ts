import { type Control, every, mustBeTrue, unless, wrong } from "../control.ts";
import { parseDocument, type Statement } from "../iam/document.ts";
import { isHeldBy } from "../iam/match.ts";
import { isOwnKey } from "../own-keys.ts";
import type { Resource } from "../stack.ts";

const KEY = "aws:kms/key:Key";

/** What ties a service's use of a key to something of this account. */
const TYING = /^(?:aws:SourceAccount|aws:SourceArn|kms:CallerAccount|kms:ViaService|kms:EncryptionContext:.+)$/i;

/** Keys, and what is encrypted by them. */
export const KEY_CONTROLS: readonly Control[] = [
  {
    id: "keys-rotate",
    title: "Every key rotates",
    sources: ["KMS.4", "CIS 3.6", "CKV_AWS_7", "AVD-AWS-0065", "AwsSolutions-KMS5", "kms_cmk_rotation_enabled"],
    severity: "medium",
    selects: every(KEY),
    check: mustBeTrue("enableKeyRotation"),
  },
  {
    id: "keys-trust-account-only",
    title: "A key's policy names no one but the account's root and AWS's services",
    sources: ["KMS.5", "CKV_AWS_33", "CKV2_AWS_64", "kms_key_not_publicly_accessible"],
    severity: "critical",
    selects: every(KEY),
    check: (key) => [
      ...unless(key.fields.has("policy"), "policy", undefined, "a policy of its own"),
      ...allowing(key).flatMap(strangers),
    ],
  },
  {
    id: "keys-condition-services",
    title: "A service uses a key only for something of this account",
    sources: ['"The confused deputy problem"'],
    severity: "high",
    selects: every(KEY),
    check: (key) =>
      allowing(key)
        .filter(({ principals }) => principals.some(({ type }) => type === "Service"))
        .filter((statement) => !isHeldBy(statement, TYING))
        .map(({ sid, principals }) =>
          wrong(
            `the condition on ${principals.map(({ value }) => value).join(", ")} in statement ${sid}`,
            undefined,
            "aws:SourceAccount, aws:SourceArn, kms:ViaService or an encryption context",
          ),
        ),
  },
  {
    id: "keys-own-for-topics",
    title: "Topics are encrypted by a key of the stack's own",
    sources: ["SNS.1", "CKV_AWS_26", "AVD-AWS-0136", "AwsSolutions-SNS2", "sns_topics_kms_encryption_at_rest_enabled"],
    severity: "medium",
    selects: every("aws:sns/topic:Topic"),
    check: ({ fields }, stack) => {
      const key = fields.text("kmsMasterKeyId");
      return unless(isOwnKey(stack, key), "kmsMasterKeyId", key, "a key of this stack");
    },
  },
];

function allowing({ name, fields }: Resource): readonly Statement[] {
  const text = fields.text("policy");
  if (text === undefined) return [];
  return parseDocument(text, `the policy of ${name}`).filter(({ effect }) => effect === "Allow");
}

function strangers({ principals, exceptPrincipals }: Statement): readonly string[] {
  const found = principals
    .filter(
      ({ type, value }) =>
        type !== "Service" && !(type === "AWS" && /^(?:arn:[^:]+:iam::\d{12}:root|\d{12})$/.test(value)),
    )
    .map(({ type, value }) => `${type} ${value}`);
  const known = !exceptPrincipals && found.length === 0 && principals.length > 0;
  return unless(
    known,
    "who is named",
    exceptPrincipals ? "everyone but some" : found,
    "the account's root, services of AWS",
  );
}
