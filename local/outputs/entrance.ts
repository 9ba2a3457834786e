import { type ComputeOutputs, type Made, named, type Properties, text } from "./computed.ts";

/** What AWS computes for the buckets of access logs, names and firewalls before the load balancer. */
export const ENTRANCE_OUTPUTS: Readonly<Record<string, ComputeOutputs>> = {
  "aws:route53/record:Record": ({ inputs }) => ({
    id: `${text(inputs.zoneId)}_${text(inputs.name)}_${text(inputs.type)}`,
    outputs: { fqdn: text(inputs.name) },
  }),
  "aws:s3/bucket:Bucket": (made, place) => {
    const bucket = made.inputs.bucket === undefined ? named(made) : text(made.inputs.bucket);
    // Buckets are known by name alone.
    const bucketArn = `arn:${place.partition}:s3:::${bucket}`;
    const bucketDomainName = `${bucket}.s3.${place.dnsSuffix}`;
    return { id: bucket, outputs: { bucket, arn: bucketArn, bucketDomainName, bucketRegion: place.region } };
  },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ofBucket,
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ofBucket,
  "aws:s3/bucketPolicy:BucketPolicy": ofBucket,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ofBucket,
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ofBucket,
  "aws:s3/bucketVersioning:BucketVersioning": ofBucket,
  "aws:wafv2/webAclAssociation:WebAclAssociation": ({ inputs }) => ({
    id: `${text(inputs.webAclArn)},${text(inputs.resourceArn)}`,
    outputs: {},
  }),
};

/** A setting of a bucket goes by the bucket's name. */
function ofBucket({ inputs }: Made): { readonly id: string; readonly outputs: Properties } {
  return { id: text(inputs.bucket), outputs: {} };
}
