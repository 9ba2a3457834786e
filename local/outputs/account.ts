import { arn, globalArn, hex } from "../place.ts";
import { type ComputeOutputs, named, text } from "./computed.ts";

/** What AWS computes for what an account needs once: state bucket, identity provider, managed policies, aliases. */
export const ACCOUNT_OUTPUTS: Readonly<Record<string, ComputeOutputs>> = {
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ({ inputs }, place) => {
    const providerArn = globalArn(place, "iam", `oidc-provider/${text(inputs.url).replace(/^https:\/\//, "")}`);
    return { id: providerArn, outputs: { arn: providerArn } };
  },
  "aws:iam/policy:Policy": (made, place) => {
    const name = named(made);
    const policyArn = globalArn(place, "iam", `policy${text(made.inputs.path ?? "/")}${name}`);
    return { id: policyArn, outputs: { arn: policyArn, name, policyId: `ANPA${hex(name, 17).toUpperCase()}` } };
  },
  "aws:kms/alias:Alias": (made, place) => {
    const name = named(made);
    const keyArn = arn(place, "kms", `key/${text(made.inputs.targetKeyId)}`);
    return { id: name, outputs: { name, arn: arn(place, "kms", name), targetKeyArn: keyArn } };
  },
  "aws:s3/bucket:Bucket": (made, place) => {
    const bucket = text(made.inputs.bucket ?? `${made.name}-${hex(made.name, 7)}`);
    const outputs = { bucket, arn: `arn:${place.partition}:s3:::${bucket}`, bucketRegion: place.region };
    return { id: bucket, outputs: { ...outputs, bucketDomainName: `${bucket}.s3.${place.dnsSuffix}` } };
  },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ({ inputs }) => ofBucket(inputs.bucket),
  "aws:s3/bucketObjectv2:BucketObjectv2": ({ inputs }) => ({
    id: `${text(inputs.bucket)}/${text(inputs.key)}`,
    outputs: { etag: hex(text(inputs.content), 32), versionId: hex(text(inputs.key), 32) },
  }),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ({ inputs }) => ofBucket(inputs.bucket),
  "aws:s3/bucketPolicy:BucketPolicy": ({ inputs }) => ofBucket(inputs.bucket),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ({ inputs }) => ofBucket(inputs.bucket),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ({ inputs }) =>
    ofBucket(inputs.bucket),
  "aws:s3/bucketVersioning:BucketVersioning": ({ inputs }) => ofBucket(inputs.bucket),
};

/** Settings of a bucket have its name for an id, and nothing that AWS would add. */
function ofBucket(bucket: unknown): { readonly id: string; readonly outputs: Readonly<Record<string, never>> } {
  return { id: text(bucket), outputs: {} };
}
