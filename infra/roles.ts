import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "./iam.ts";
import { rolePath } from "./names.ts";

export interface RoleArgs {
  /** Who may assume the role, and on whose behalf. */
  readonly trust: pulumi.Input<PolicyDocument>;
  /**
   * ARN of the managed policy that bounds whatever the role is granted ("Permissions boundaries for IAM entities"). It grants
   * nothing itself, so it must admit all that the role needs. Default none; a change takes effect in place.
   */
  readonly permissionsBoundaryArn?: pulumi.Input<string> | undefined;
}

/**
 * The one form of role here: under the path of the stack, with a trust, and a boundary where the account wants one on every role. What it may do is said by policies
 * beside it, each of which stands with what it grants.
 */
export function role(name: string, args: RoleArgs, opts: pulumi.CustomResourceOptions): aws.iam.Role {
  const { trust, permissionsBoundaryArn } = args;
  return new aws.iam.Role(
    name,
    {
      path: rolePath(),
      assumeRolePolicy: pulumi.jsonStringify(trust),
      ...(permissionsBoundaryArn === undefined ? {} : { permissionsBoundary: permissionsBoundaryArn }),
    },
    opts,
  );
}
