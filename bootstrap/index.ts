import * as pulumi from "@pulumi/pulumi";
import { lookUpAccount } from "../infra/account.ts";
import { loadBootstrapConfiguration } from "./config.ts";
import { githubProvider } from "./github.ts";
import { SecretsKey } from "./secrets-key.ts";
import { StackAccess } from "./stack-access.ts";
import { StateBucket } from "./state-bucket.ts";

const configuration = loadBootstrapConfiguration();
const { project, repository } = configuration;
const account = lookUpAccount();

const github = githubProvider(configuration.githubProviderArn);
const state = new StateBucket("state", { project, oldStateDays: configuration.oldStateDays, account });
const secrets = configuration.stacks.map((stack) => ({
  stack: { project, stack },
  key: new SecretsKey(`${stack}-secrets`, { stack: { project, stack }, account }),
}));
const ownKeyArns = pulumi.all([state.keyArn, ...secrets.map(({ key }) => key.arn)]);
const accesses = secrets.map(({ stack, key }) => ({
  stack: stack.stack,
  key,
  access: new StackAccess(stack.stack, {
    stack,
    repository,
    githubProviderArn: github,
    state,
    secretsKeyArn: key.arn,
    hostedZoneIds: configuration.hostedZoneIds,
    ownKeyArns,
    account,
  }),
}));

function ofEachStack<T>(what: (of: (typeof accesses)[number]) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(accesses.map((of) => [of.stack, what(of)]));
}

export const backendUrl = state.backendUrl;
export const githubProviderArn = github;
export const secretsProviders = ofEachStack(({ key }) => key.secretsProvider);
export const previewRoleArns = ofEachStack(({ access }) => access.previewRoleArn);
export const deployRoleArns = ofEachStack(({ access }) => access.deployRoleArn);
export const permissionsBoundaryArns = ofEachStack(({ access }) => access.workloadBoundaryArn);
export const region = account.region;
