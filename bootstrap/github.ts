import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { GITHUB_ISSUER, STS_AUDIENCE } from "./iam/trust.ts";

/**
 * ARN of the OIDC provider through which GitHub's workflows come into the account. An account has at most one for an issuer, so an
 * existing one is used; one that is made here stays when it is no longer declared, since others may have come to use it.
 */
export function githubProvider(existingArn: string | undefined): pulumi.Output<string> {
  if (existingArn !== undefined) return pulumi.output(existingArn);
  // AWS verifies GitHub's certificate by its own trust store: no thumbprint has to be kept current.
  const provider = new aws.iam.OpenIdConnectProvider(
    "github",
    { url: `https://${GITHUB_ISSUER}`, clientIdLists: [STS_AUDIENCE] },
    { protect: true, retainOnDelete: true },
  );
  return provider.arn;
}
