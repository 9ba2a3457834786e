import { arn, globalArn, hex } from "../place.ts";
import { type ComputeOutputs, named, text } from "./computed.ts";

/** What AWS computes for what an account needs once: identity provider, managed policies, aliases, the state's layout. */
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
  "aws:s3/bucketObjectv2:BucketObjectv2": ({ inputs }) => ({
    id: `${text(inputs.bucket)}/${text(inputs.key)}`,
    outputs: { etag: hex(text(inputs.content), 32), versionId: hex(text(inputs.key), 32) },
  }),
};
