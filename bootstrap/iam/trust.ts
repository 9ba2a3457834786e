import type { PolicyDocument } from "../../infra/iam.ts";
import type { Repository } from "../config.ts";

/** Issuer of the tokens of GitHub's workflows: host of the provider, and beginning of the condition keys. */
export const GITHUB_ISSUER = "token.actions.githubusercontent.com";

/** Audience that the AWS action for credentials asks GitHub for ("Configuring OpenID Connect in Amazon Web Services"). */
export const STS_AUDIENCE = "sts.amazonaws.com";

/** A job, by what GitHub says of it in the token. */
export interface TrustedJob {
  /** Environment that the job names. */
  readonly environment: string;
  /** What the workflow may run for; `*` stands for any characters. */
  readonly refs: readonly string[];
}

/**
 * Lets jobs of one repository and one environment in, on the refs named.
 *
 * The subject of a job with an environment holds the environment and no branch, so the branch needs a condition of its own. The
 * subject holds the repository's name, which could be another's one day; the id never is. STS evaluates `repository_id`,
 * `environment` and `ref` beside `sub` and `aud` ("IAM and AWS STS condition context keys"), and a claim that is missing does not
 * match.
 */
export function trustJob(providerArn: string, repository: Repository, job: TrustedJob): PolicyDocument {
  const claim = (name: string) => `${GITHUB_ISSUER}:${name}`;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: providerArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [claim("aud")]: STS_AUDIENCE,
            [claim("sub")]: `${repository.subjectPrefix}:environment:${job.environment}`,
            [claim("repository_id")]: repository.id,
            [claim("environment")]: job.environment,
          },
          StringLike: { [claim("ref")]: job.refs },
        },
      },
    ],
  };
}

/** Ref of a branch. */
export function branchRef(branch: string): string {
  return `refs/heads/${branch}`;
}

/** Ref that a pull request's workflow runs for; a branch's begins otherwise, whatever its name. */
export const PULL_REQUEST_REF = "refs/pull/*/merge";
