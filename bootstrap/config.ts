import * as pulumi from "@pulumi/pulumi";
import { between, ConfigReader, matching } from "../infra/config/reader.ts";

/** The GitHub repository whose workflows may come into the account. */
export interface Repository {
  /** `OWNER/NAME`. */
  readonly name: string;
  /** Id, in digits: unlike the name it is never given to another repository. */
  readonly id: string;
  /** Beginning of the subject in its tokens, such as `repo:OWNER/NAME`. */
  readonly subjectPrefix: string;
  /** Branch that is deployed from. */
  readonly deployBranch: string;
}

/** The whole configuration, parsed once. */
export interface BootstrapConfiguration {
  readonly repository: Repository;
  /** Name of the Pulumi project that is deployed. */
  readonly project: string;
  /** Its stacks in this account. */
  readonly stacks: readonly string[];
  /** Route 53's hosted zones in which stacks may name their load balancers. */
  readonly hostedZoneIds: readonly string[];
  /** GitHub's OIDC provider where it exists already; undefined makes it. */
  readonly githubProviderArn: string | undefined;
  /** Days that replaced and deleted states are kept. */
  readonly oldStateDays: number;
}

/** GitHub's rules for names of owners and repositories. */
const REPOSITORY = matching(
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[A-Za-z0-9._-]{1,100}$/,
  "the GitHub repository as OWNER/NAME",
);
const REPOSITORY_ID = matching(
  /^[1-9]\d{0,18}$/,
  "the repository's id in digits, which `gh api repos/OWNER/NAME --jq .id` prints",
);
/** A prefix of a subject ends before the colon that GitHub puts behind it; `*` and `?` could never be meant. */
const SUBJECT_PREFIX = matching(
  /^repo:[A-Za-z0-9-]+(?:@\d+)?\/[A-Za-z0-9._-]+(?:@\d+)?$/,
  "repo:OWNER/NAME or repo:OWNER@OWNER_ID/NAME@REPOSITORY_ID, as GitHub reports it",
);
/** A branch name that is one branch only: no wildcard of IAM's. */
const BRANCH = matching(/^(?!\/|.*\/\/|.*\.\.)[A-Za-z0-9._/-]{1,200}(?<!\/)$/, "the name of one branch, such as main");
/** With the suffixes that are put to it, the name of a bucket holds at most 63 characters, that of a role 64. */
const PROJECT = matching(
  /^[a-z](?:[a-z0-9-]{0,27}[a-z0-9])?$/,
  "lower-case letters, digits and hyphens, a letter first, at most 29",
);
const STACK = matching(
  /^(?!.*-preview$)[a-z][a-z0-9-]{0,23}$/,
  "lower-case letters, digits and hyphens, a letter first, at most 24, not …-preview",
);
const HOSTED_ZONE = matching(/^Z[0-9A-Z]{1,31}$/, "the id of a hosted zone such as Z0123456789ABCDEFGHIJ");
const GITHUB_PROVIDER = matching(
  /^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/token\.actions\.githubusercontent\.com$/,
  "the ARN of GitHub's OIDC provider, arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com",
);

/**
 * Reads and checks the configuration. Throws one `pulumi.RunError` that names every mistake. Nothing else in the program reads
 * configuration, and nothing reads it when a module is loaded.
 */
export function loadBootstrapConfiguration(): BootstrapConfiguration {
  const read = new ConfigReader(new pulumi.Config());
  refuseAnyAccount(read);
  const configuration: BootstrapConfiguration = {
    repository: readRepository(read),
    project: read.text("project", PROJECT),
    stacks: read.list("stacks", STACK),
    hostedZoneIds: read.list("hostedZoneIds", HOSTED_ZONE),
    githubProviderArn: read.text("githubProviderArn", GITHUB_PROVIDER, { optional: true }) || undefined,
    oldStateDays: read.integer("oldStateDays", between(30, 3_650)),
  };
  if (configuration.stacks.length === 0) read.refuse("stacks", configuration.stacks, "one stack or more");
  read.finish();
  return configuration;
}

function readRepository(read: ConfigReader): Repository {
  const name = read.text("repository", REPOSITORY);
  const id = read.text("repositoryId", REPOSITORY_ID);
  const told = read.text("subjectPrefix", SUBJECT_PREFIX, { optional: true });
  // A subject of another repository would lock this one out, and the id of another let nobody in.
  const [, owner, repository, idInSubject] = /^repo:([^@/]+)(?:@\d+)?\/([^@]+)(?:@(\d+))?$/.exec(told) ?? [];
  if (told !== "" && (`${owner}/${repository}` !== name || (idInSubject ?? id) !== id))
    read.refuse("subjectPrefix", told, "a subject of the repository and of the id that are configured");
  return {
    name,
    id,
    subjectPrefix: told === "" ? `repo:${name}` : told,
    deployBranch: read.text("deployBranch", BRANCH),
  };
}

/** Roles that let a repository in belong in an account that someone has named, not in whichever the shell is logged in to. */
function refuseAnyAccount(read: ConfigReader): void {
  const accounts = new pulumi.Config("aws").get("allowedAccountIds") ?? "[]";
  if (!/^\[(?:"\d{12}"|[1-9]\d{11})\]$/.test(accounts.replaceAll(/\s/g, "")))
    read.conflict(`aws:allowedAccountIds is ${accounts}; allowed: a list of one account id, twelve digits in quotes`);
}
