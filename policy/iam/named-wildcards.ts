/** A wildcard that a policy may have, and why it needs it. */
export interface NamedWildcard {
  readonly action: string;
  /** The resource as the statement has it; a suffix after `…` is compared from its end. */
  readonly resource: string;
  readonly reason: string;
}

/** The only wildcards among the resources of what roles may do. No action may have one. */
export const NAMED_WILDCARDS: readonly NamedWildcard[] = [
  {
    action: "ecr:GetAuthorizationToken",
    resource: "*",
    reason: "the action knows no resources; what the token is good for is said by the statements on the repository",
  },
  ...["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"].map((action) => ({
    action,
    resource: "…:*",
    reason: "the ARN of a log group's streams ends in :*, which names streams of the one group before it",
  })),
];

/** Whether an action on a resource is on the list of named wildcards. */
export function isNamedWildcard(action: string, resource: string): boolean {
  return NAMED_WILDCARDS.some((named) => {
    if (named.action !== action) return false;
    if (!named.resource.startsWith("…")) return named.resource === resource;
    const suffix = named.resource.slice(1);
    // The rest of the ARN is free of wildcards.
    return resource.endsWith(suffix) && !/[*?]/.test(resource.slice(0, -suffix.length));
  });
}
