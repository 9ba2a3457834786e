/**
 * What Pulumi's AWS provider calls for a type of resource. Whoever previews reads; whoever deploys reads and writes. Drawn from the
 * calls that the provider makes to create, read, update, tag and delete the resource with the inputs that the program gives it.
 */
export interface ResourceActions {
  /** To look at the resource, as `pulumi preview --refresh` does. */
  readonly read: readonly string[];
  /** To make it, change it and take it away. */
  readonly write: readonly string[];
}

/** By type token, as the engine sees them. */
export type ActionsByType = Readonly<Record<string, ResourceActions>>;

/** Tags are set with a resource and afterwards; Pulumi's default tags are as well. */
export const EC2_TAGS = ["ec2:CreateTags", "ec2:DeleteTags"] as const;
