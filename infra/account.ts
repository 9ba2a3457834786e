import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./iam.ts";

/** Looks up where the stack is deployed. Call it once and hand the result on. */
export function lookUpAccount(): pulumi.Output<Account> {
  return pulumi
    .all([aws.getPartitionOutput(), aws.getRegionOutput(), aws.getCallerIdentityOutput()])
    .apply(([{ partition, dnsSuffix }, { region }, { accountId }]) => ({ partition, dnsSuffix, region, accountId }));
}
