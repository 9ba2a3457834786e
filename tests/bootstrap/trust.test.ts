import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { type BootstrapRole, bootstrapOf, lets, PROVIDER, REPOSITORY, REPOSITORY_ID, roleOf } from "./account.ts";

type Claims = Readonly<Record<string, string>>;

/** Claims of a job of the repository, as GitHub puts them into its token. */
function job(environment: string, ref: string, subject = `repo:${REPOSITORY}`): Claims {
  return {
    aud: "sts.amazonaws.com",
    sub: `${subject}:environment:${environment}`,
    repository: REPOSITORY,
    repository_id: REPOSITORY_ID,
    environment,
    ref,
  };
}

const MAIN = "refs/heads/main";
const PULL_REQUEST = "refs/pull/7/merge";

function without(claims: Claims, claim: string): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => name !== claim));
}

/** Near misses of a job that is let in: one thing about each is another. */
function nearMisses(claims: Claims): readonly (readonly [says: string, claims: Claims])[] {
  const environment = String(claims.environment);
  const of = (subject: string) => ({ ...claims, sub: `${subject}:environment:${environment}` });
  return [
    ["another audience", { ...claims, aud: "https://github.com/octo-org" }],
    ["the audience of another service", { ...claims, aud: "sigstore" }],
    ["another repository of the owner", of("repo:octo-org/shop2")],
    ["a repository whose name begins alike", of("repo:octo-org/shop-fork")],
    ["the repository's name with another owner", of("repo:mallory/shop")],
    ["the repository's name in another letter case", of("repo:Octo-Org/shop")],
    ["another repository's id", { ...claims, repository_id: "456780" }],
    ["an id that begins alike", { ...claims, repository_id: `${REPOSITORY_ID}0` }],
    ["another environment", job("development", String(claims.ref))],
    ["another environment in the subject only", { ...claims, sub: `repo:${REPOSITORY}:environment:development` }],
    ["another environment outside of the subject only", { ...claims, environment: "development" }],
    ["no environment, on the branch", { ...claims, sub: `repo:${REPOSITORY}:ref:${MAIN}` }],
    ["no environment, for a pull request", { ...claims, sub: `repo:${REPOSITORY}:pull_request` }],
    ["another branch", { ...claims, ref: "refs/heads/feature" }],
    ["a branch whose name begins alike", { ...claims, ref: `${MAIN}2` }],
    ["a branch that is named like a pull request", { ...claims, ref: "refs/heads/refs/pull/7/merge" }],
    ["a tag", { ...claims, ref: "refs/tags/main" }],
    ["the head of a pull request", { ...claims, ref: "refs/pull/7/head" }],
    ...Object.keys(without(claims, "repository")).map((claim): readonly [string, Claims] => [
      `no ${claim}`,
      without(claims, claim),
    ]),
  ];
}

const JOBS: readonly (readonly [role: string, says: string, claims: Claims])[] = [
  ["production-deploy", "main's job in the environment production", job("production", MAIN)],
  ["staging-deploy", "main's job in the environment staging", job("staging", MAIN)],
  ["production-preview", "a pull request's job in production-preview", job("production-preview", PULL_REQUEST)],
  ["production-preview", "main's job in production-preview", job("production-preview", MAIN)],
  ["staging-preview", "a pull request's job in staging-preview", job("staging-preview", PULL_REQUEST)],
  ["staging-preview", "main's job in staging-preview", job("staging-preview", MAIN)],
];

for (const [name, says, claims] of JOBS) {
  describe(`The role ${name} and ${says}`, () => {
    let role: BootstrapRole;
    before(async () => {
      role = roleOf(await bootstrapOf(), name);
    });

    it("fit: it is let in", () => {
      assert.equal(lets(role, claims), true);
    });

    for (const [missed, wrong] of nearMisses(claims)) {
      it(`do not fit with ${missed}`, () => assert.equal(lets(role, wrong), false));
    }

    it("do not fit through another provider", () => {
      const other = PROVIDER.replace("token.actions.githubusercontent.com", "token.example.com");
      assert.equal(lets(role, claims, other), false);
      assert.equal(lets(role, claims, PROVIDER.replace("123456789012", "210987654321")), false);
    });
  });
}

describe("A role lets in", () => {
  it("no pull request to deploy, whatever environment it names", async () => {
    const program = await bootstrapOf();
    for (const stack of ["staging", "production"]) {
      const role = roleOf(program, `${stack}-deploy`);
      for (const environment of ["staging", "production", "staging-preview", "production-preview"])
        assert.equal(lets(role, job(environment, PULL_REQUEST)), false, `${stack} ${environment}`);
    }
  });

  it("exactly one of the jobs that each environment has, and no other role lets it in", async () => {
    const program = await bootstrapOf();
    const names = ["staging-preview", "staging-deploy", "production-preview", "production-deploy"];
    for (const [name, says, claims] of JOBS) {
      const letting = names.filter((candidate) => lets(roleOf(program, candidate), claims));
      assert.deepEqual(letting, [name], says);
    }
  });

  it("jobs by the subject that GitHub reports for the repository, with ids, and then none without", async () => {
    const withIds = `repo:octo-org@123/shop@${REPOSITORY_ID}`;
    const role = roleOf(await bootstrapOf({ subjectPrefix: withIds }), "production-deploy");
    assert.equal(lets(role, job("production", MAIN, withIds)), true);
    assert.equal(lets(role, job("production", MAIN)), false);
    assert.equal(lets(role, job("production", MAIN, "repo:octo-org@124/shop@456789")), false);
    assert.equal(lets(roleOf(await bootstrapOf(), "production-deploy"), job("production", MAIN, withIds)), false);
  });

  it("the branch that is configured", async () => {
    const role = roleOf(await bootstrapOf({ deployBranch: "release/2027" }), "production-deploy");
    assert.equal(lets(role, job("production", "refs/heads/release/2027")), true);
    assert.equal(lets(role, job("production", MAIN)), false);
  });

  it("nobody by any other way: a service, a user or a role of the account", async () => {
    const program = await bootstrapOf();
    for (const name of ["production-deploy", "production-preview"]) {
      const { trust } = roleOf(program, name);
      assert.equal(trust.Statement.length, 1);
      assert.deepEqual(trust.Statement[0]?.Principal, { Federated: PROVIDER });
      assert.equal(trust.Statement[0]?.Action, "sts:AssumeRoleWithWebIdentity");
    }
  });
});

describe("GitHub's OIDC provider", () => {
  it("is made for the audience of STS, protected and kept", async () => {
    const providers = (await bootstrapOf()).resources.filter(({ type }) => type.endsWith(":OpenIdConnectProvider"));
    assert.equal(providers.length, 1);
    assert.deepEqual(providers[0]?.inputs, {
      url: "https://token.actions.githubusercontent.com",
      clientIdLists: ["sts.amazonaws.com"],
    });
    assert.equal(providers[0]?.options.protect, true);
    assert.equal(providers[0]?.options.retainOnDelete, true);
  });

  it("is not made where the account has one, which every role then trusts", async () => {
    const program = await bootstrapOf({ githubProviderArn: PROVIDER.replace("arn:aws:", "arn:aws-us-gov:") });
    assert.equal(program.resources.filter(({ type }) => type.endsWith(":OpenIdConnectProvider")).length, 0);
    const roles = ["staging-preview", "staging-deploy", "production-preview", "production-deploy"];
    for (const name of roles) {
      const [statement] = roleOf(program, name).trust.Statement;
      assert.deepEqual(statement?.Principal, { Federated: PROVIDER.replace("arn:aws:", "arn:aws-us-gov:") });
    }
  });
});
