import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./iam.ts";

/**
 * Looks up where the stack is deployed. Call it once and hand the result on.
 *
 * @param opts such as the component whose provider is asked
 */
export function lookUpAccount(opts: pulumi.InvokeOptions = {}): pulumi.Output<Account> {
  return pulumi
    .all([aws.getPartitionOutput({}, opts), aws.getRegionOutput({}, opts), aws.getCallerIdentityOutput({}, opts)])
    .apply(([{ partition, dnsSuffix }, { region }, { accountId }]) => ({ partition, dnsSuffix, region, accountId }));
}
