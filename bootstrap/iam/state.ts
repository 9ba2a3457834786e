import type { Account, PolicyDocument, Statement } from "../../infra/iam.ts";
import type { StackName } from "../names.ts";

/** Where the state of a stack is kept, and under which keys. */
export interface StateAccess {
  readonly bucketArn: string;
  /** Key of the bucket. */
  readonly stateKeyArn: string;
  /** Key of the stack's secrets. */
  readonly secretsKeyArn: string;
}

/** Version of the state's layout, which every command of Pulumi reads first. */
export const META_KEY = ".pulumi/meta.yaml";

/** Objects in which Pulumi keeps a stack that is not being changed: checkpoint (compressed or not, with its backup) and tags. */
function checkpointObjects({ project, stack }: StackName): readonly string[] {
  const base = `.pulumi/stacks/${project}/${stack}`;
  return [`${base}.json`, `${base}.json.*`, `${base}.pulumi-tags`];
}

/** Objects that an update writes beside the checkpoint: its journal and lock, the history, and copies of former checkpoints. */
function updateObjects({ project, stack }: StackName): readonly string[] {
  return [
    `.pulumi/backups/${project}/${stack}/*`,
    `.pulumi/history/${project}/${stack}/*`,
    `.pulumi/journal/${project}/${stack}/*`,
    `.pulumi/locks/organization/${project}/${stack}/*`,
  ];
}

/**
 * What a preview needs of the state: to read it. A preview takes no lock and writes neither history nor backups, so nothing has to
 * be writable. `pulumi refresh` locks; `pulumi preview --refresh` does not. The journal is read for what an update that died left.
 *
 * Names are listed without a prefix: S3 answers 404 for an object that does not exist, such as the stack's tags, only to those who
 * may list the bucket whatever the prefix, and Pulumi gives up at a 403. So names of other stacks' objects can be seen, their
 * contents cannot.
 */
export function readState(stack: StackName, access: StateAccess, account: Account): readonly Statement[] {
  const objects = [META_KEY, ...checkpointObjects(stack), `.pulumi/journal/${stack.project}/${stack.stack}/*`];
  return [
    listState(access),
    { Sid: "ReadState", Effect: "Allow", Action: "s3:GetObject", Resource: objectArns(access, objects) },
    throughS3("DecryptState", ["kms:Decrypt"], access, account),
    { Sid: "DecryptSecrets", Effect: "Allow", Action: "kms:Decrypt", Resource: access.secretsKeyArn },
  ];
}

/** What a deployment needs of the state. It deletes no old version: what is deleted or replaced can be had back. */
export function writeState(stack: StackName, access: StateAccess, account: Account): readonly Statement[] {
  const objects = [...checkpointObjects(stack), ...updateObjects(stack)];
  return [
    listState(access),
    { Sid: "ReadLayout", Effect: "Allow", Action: "s3:GetObject", Resource: objectArns(access, [META_KEY]) },
    {
      Sid: "WriteState",
      Effect: "Allow",
      Action: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
      Resource: objectArns(access, objects),
    },
    throughS3("EncryptState", ["kms:Decrypt", "kms:GenerateDataKey"], access, account),
    { Sid: "UseSecrets", Effect: "Allow", Action: ["kms:Decrypt", "kms:Encrypt"], Resource: access.secretsKeyArn },
  ];
}

/**
 * The bucket's own policy: nobody, administrators included, reaches it without TLS 1.2, and nothing is stored under another key
 * than the bucket's ("Protecting data with server-side encryption"). What asks for no encryption gets the bucket's.
 */
export function stateBucketPolicy(bucketArn: string, stateKeyArn: string): PolicyDocument {
  const everything = [bucketArn, `${bucketArn}/*`];
  const objects = `${bucketArn}/*`;
  const asked = "s3:x-amz-server-side-encryption";
  const deny = { Effect: "Deny", Principal: { AWS: "*" } } as const;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "DenyPlainHttp",
        ...deny,
        Action: "s3:*",
        Resource: everything,
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
      {
        Sid: "DenyOldTls",
        ...deny,
        Action: "s3:*",
        Resource: everything,
        Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } },
      },
      {
        Sid: "DenyOtherEncryption",
        ...deny,
        Action: "s3:PutObject",
        Resource: objects,
        Condition: { Null: { [asked]: "false" }, StringNotEquals: { [asked]: "aws:kms" } },
      },
      {
        Sid: "DenyOtherKey",
        ...deny,
        Action: "s3:PutObject",
        Resource: objects,
        Condition: {
          Null: { [`${asked}-aws-kms-key-id`]: "false" },
          StringNotEquals: { [`${asked}-aws-kms-key-id`]: stateKeyArn },
        },
      },
    ],
  };
}

function listState({ bucketArn }: StateAccess): Statement {
  return { Sid: "ListState", Effect: "Allow", Action: "s3:ListBucket", Resource: bucketArn };
}

function objectArns({ bucketArn }: StateAccess, keys: readonly string[]): readonly string[] {
  return keys.map((key) => `${bucketArn}/${key}`);
}

/** The bucket's key, for S3 alone: who reads objects has S3 decrypt them, and never sees the key's work. */
function throughS3(
  Sid: string,
  Action: readonly string[],
  { bucketArn, stateKeyArn }: StateAccess,
  { region, dnsSuffix }: Account,
): Statement {
  return {
    Sid,
    Effect: "Allow",
    Action,
    Resource: stateKeyArn,
    Condition: {
      StringEquals: { "kms:ViaService": `s3.${region}.${dnsSuffix}`, "kms:EncryptionContext:aws:s3:arn": bucketArn },
    },
  };
}
