import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { DeclaredResource } from "../../local/program/resource.ts";
import type { Program } from "../../local/program.ts";
import { only } from "../infra/declared-program.ts";
import { ACCOUNT, allows, type BootstrapRole, bootstrapOf, REGION } from "./account.ts";

const BUCKET = `passwordless-postgres-state-${ACCOUNT}-${REGION}`;

describe("The state's bucket", () => {
  let program: Program;
  before(async () => {
    program = await bootstrapOf();
  });

  /** Inputs of a setting of the bucket, apart from its name. */
  const settingOf = (type: string): Readonly<Record<string, unknown>> => {
    const { bucket, ...inputs } = only(program, type).inputs;
    assert.equal(bucket, BUCKET, type);
    return inputs;
  };

  it("has a name that is known before it exists, and is never emptied to be deleted", () => {
    assert.deepEqual(only(program, "Bucket").inputs, { bucket: BUCKET, forceDestroy: false });
    assert.equal(program.outputs.backendUrl, `s3://${BUCKET}?region=${REGION}`);
  });

  it("keeps every version", () => {
    assert.deepEqual(settingOf("BucketVersioning"), { versioningConfiguration: { status: "Enabled" } });
  });

  it("is encrypted under a key of its own that is renewed every year", () => {
    const key = only(program, "Key", "state");
    assert.deepEqual(settingOf("BucketServerSideEncryptionConfiguration"), {
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.outputs.arn },
          bucketKeyEnabled: true,
        },
      ],
    });
    assert.equal(key.inputs.enableKeyRotation, true);
    assert.equal(key.inputs.deletionWindowInDays, 30);
  });

  it("is closed to the public, whatever a policy or an object says", () => {
    assert.deepEqual(settingOf("BucketPublicAccessBlock"), {
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    assert.deepEqual(settingOf("BucketOwnershipControls"), { rule: { objectOwnership: "BucketOwnerEnforced" } });
  });

  it("drops old versions, but never a state that is current", async () => {
    const rule = (days: number) => ({
      rules: [
        {
          id: "old-versions",
          status: "Enabled",
          filter: { prefix: "" },
          noncurrentVersionExpiration: { noncurrentDays: days },
          expiration: { expiredObjectDeleteMarker: true },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    });
    assert.deepEqual(settingOf("BucketLifecycleConfiguration"), rule(365));
    const brief = only(await bootstrapOf({ oldStateDays: "90" }), "BucketLifecycleConfiguration").inputs;
    assert.deepEqual(brief, { bucket: BUCKET, ...rule(90) });
  });

  it("holds the layout's version from the beginning, once it is guarded", () => {
    const layout = only(program, "BucketObjectv2");
    assert.deepEqual(layout.inputs, { bucket: BUCKET, key: ".pulumi/meta.yaml", content: "version: 1\n" });
    const guards = [
      "BucketPublicAccessBlock",
      "BucketOwnershipControls",
      "BucketVersioning",
      "BucketServerSideEncryptionConfiguration",
      "BucketPolicy",
    ];
    for (const type of guards) assert.ok(layout.dependencies.includes(only(program, type).urn), type);
  });

  it("is protected and stays, with its key, its settings and the keys of secrets", () => {
    const kept = program.resources.filter(({ type }) => /^aws:(?:s3|kms)\//.test(type));
    assert.equal(kept.length, 8 + 1 + 2 * 2);
    for (const { name, type, options } of kept)
      assert.deepEqual([options.protect, options.retainOnDelete], [true, true], `${type} ${name}`);
  });

  describe("refuses, of an administrator too,", () => {
    let administrator: BootstrapRole;
    before(() => {
      const everything = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
      };
      administrator = {
        arn: `arn:aws:iam::${ACCOUNT}:role/administrator`,
        trust: everything,
        policies: [{ name: "everything", policy: everything }],
        boundary: [],
      };
    });

    const put = (context: Readonly<Record<string, string>>) =>
      allows(program, administrator, {
        action: "s3:PutObject",
        resource: `arn:aws:s3:::${BUCKET}/.pulumi/stacks/passwordless-postgres/production.json`,
        context,
      });
    const ASKED = "s3:x-amz-server-side-encryption";

    it("what comes without TLS or with an old one", async () => {
      assert.equal(await put({}), true);
      assert.equal(await put({ "aws:SecureTransport": "false" }), false);
      assert.equal(await put({ "s3:TlsVersion": "1.1" }), false);
    });

    it("what is to be stored under another key, or without one", async () => {
      const own = String(only(program, "Key", "state").outputs.arn);
      const other = String(only(program, "Key", "production-secrets").outputs.arn);
      assert.equal(await put({ [ASKED]: "aws:kms", [`${ASKED}-aws-kms-key-id`]: own }), true);
      assert.equal(await put({ [ASKED]: "aws:kms", [`${ASKED}-aws-kms-key-id`]: other }), false);
      assert.equal(await put({ [ASKED]: "AES256" }), false);
    });
  });
});

describe("The secrets of a stack", () => {
  it("have a key of their own, which Pulumi's provider names by ARN", async () => {
    const program = await bootstrapOf();
    const keys = ["staging", "production"].map((stack): readonly [string, DeclaredResource] => [
      stack,
      only(program, "Key", `${stack}-secrets`),
    ]);
    const providers = keys.map(([stack, { outputs }]) => [stack, `awskms:///${outputs.arn}?region=${REGION}`]);
    assert.deepEqual(program.outputs.secretsProviders, Object.fromEntries(providers));
    assert.equal(new Set(providers.map(([, provider]) => provider)).size, 2);
    for (const [stack, key] of keys) {
      assert.equal(key.inputs.enableKeyRotation, true);
      const alias = only(program, "Alias", `${stack}-secrets`).inputs;
      assert.deepEqual(alias, { name: `alias/passwordless-postgres-${stack}-secrets`, targetKeyId: key.outputs.keyId });
    }
  });
});
