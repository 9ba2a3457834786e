import type { Account, PolicyDocument, Statement } from "../iam.ts";

/** A service that tasks reach through an endpoint of the VPC. */
export type EndpointService = "ecr.api" | "ecr.dkr" | "logs" | "s3";

/**
 * What passes through the endpoint of a service: what a task needs to start, and nothing else, so that a stolen credential cannot
 * carry data out by it. A policy of an endpoint grants nothing; the roles' own policies name the one repository and the one log
 * group. These name the account and the region only: the network stands before repository, log group and roles, and an endpoint
 * answers for its whole VPC.
 */
export function endpointPolicy(service: EndpointService, account: Account): PolicyDocument {
  switch (service) {
    case "ecr.api":
    case "ecr.dkr":
      return { Version: "2012-10-17", Statement: pullImages(account) };
    case "logs":
      return { Version: "2012-10-17", Statement: [writeLogs(account)] };
    case "s3":
      return { Version: "2012-10-17", Statement: [getLayers(account)] };
  }
}

/** Both endpoints of ECR take the same policy ("Create an endpoint policy for your Amazon ECR VPC endpoints"). */
function pullImages({ partition, region, accountId }: Account): readonly Statement[] {
  return [
    {
      Sid: "LogInToRegistry",
      ...ofAccount(accountId),
      Action: "ecr:GetAuthorizationToken",
      // The action knows no resources.
      Resource: "*",
    },
    {
      Sid: "PullImages",
      ...ofAccount(accountId),
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Resource: `arn:${partition}:ecr:${region}:${accountId}:repository/*`,
    },
  ];
}

function writeLogs({ partition, region, accountId }: Account): Statement {
  return {
    Sid: "WriteLogs",
    ...ofAccount(accountId),
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: `arn:${partition}:logs:${region}:${accountId}:log-group:*`,
  };
}

/**
 * ECR's layers are in a bucket of AWS and fetched by URLs that ECR signed, so whoever asks is of no account here ("Minimum Amazon
 * S3 bucket permissions for Amazon ECR").
 */
function getLayers({ partition, region }: Account): Statement {
  return {
    Sid: "GetImageLayers",
    Effect: "Allow",
    Principal: { AWS: "*" },
    Action: "s3:GetObject",
    Resource: `arn:${partition}:s3:::prod-${region}-starport-layer-bucket/*`,
  };
}

/** Principals of the account only: with another account's credentials nothing passes. */
function ofAccount(accountId: string): Pick<Statement, "Effect" | "Principal" | "Condition"> {
  return {
    Effect: "Allow",
    Principal: { AWS: "*" },
    Condition: { StringEquals: { "aws:PrincipalAccount": accountId } },
  };
}
