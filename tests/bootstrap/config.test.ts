import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { evaluate, ProgramError } from "../../local/program.ts";
import { BOOTSTRAP, bootstrapOf, FILLED_IN } from "./account.ts";

type Config = Readonly<Record<string, string>>;

/** The lines of the error that a configuration gives, without the heading. */
async function mistakesOf(config: Config): Promise<readonly string[]> {
  try {
    await evaluate("account", { folder: BOOTSTRAP, config });
  } catch (error) {
    assert.ok(error instanceof ProgramError);
    const [heading = "", ...lines] = error.message.split("\n");
    const count = lines.length === 1 ? "1 mistake" : `${lines.length} mistakes`;
    assert.equal(heading, `${count} in the configuration of stack account:`);
    return lines.map((line) => line.replace(/^ {2}- (passwordless-postgres-bootstrap:)?/, ""));
  }
  return [];
}

const REPOSITORY = "the GitHub repository as OWNER/NAME";
const ID = "the repository's id in digits, which `gh api repos/OWNER/NAME --jq .id` prints";
const SUBJECT = "repo:OWNER/NAME or repo:OWNER@OWNER_ID/NAME@REPOSITORY_ID, as GitHub reports it, or empty";
const OF_REPOSITORY = "a subject of the repository and of the id that are configured";
const BRANCH = "the name of one branch, such as main";
const PROJECT = "lower-case letters, digits and hyphens, a letter first, at most 29";
const STACK =
  "a list without doubles, each item lower-case letters, digits and hyphens, a letter first, at most 24, not …-preview";
const PROVIDER =
  "the ARN of GitHub's OIDC provider, arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com, or empty";

const WRONG: readonly (readonly [key: string, values: readonly string[], allowed: string])[] = [
  [
    "repository",
    ["", "shop", "octo-org/", "octo-org/shop/x", "octo-org/*", "octo_org/shop", "octo-org/sh op"],
    REPOSITORY,
  ],
  ["repositoryId", ["", "0", "0456789", "shop", "4567*", "456789.5"], ID],
  ["subjectPrefix", ["repo:octo-org/*", "repo:octo-org/shop:ref:refs/heads/main", "octo-org/shop", "repo:*"], SUBJECT],
  ["subjectPrefix", ["repo:octo-org/shop2", "repo:mallory/shop", "repo:octo-org@1/shop@456780"], OF_REPOSITORY],
  ["deployBranch", ["", "*", "main*", "release/?", "/main", "main/", "a..b"], BRANCH],
  ["project", ["", "Shop", "1shop", "shop-", "a".repeat(30), "shop*"], PROJECT],
  ["stacks", ['["Production"]', '["a.b"]', '["x*"]', '["x-preview"]', '["a", "a"]', "production", "{}"], STACK],
  ["stacks", ["[]"], "one stack or more"],
  [
    "githubProviderArn",
    ["x", "arn:aws:iam::123456789012:oidc-provider/token.example.com", "arn:aws:iam::123456789012:role/x"],
    PROVIDER,
  ],
  [
    "hostedZoneIds",
    ['["*"]', '["example.com"]', '["z0123"]', "Z0123"],
    "a list without doubles, each item the id of a hosted zone such as Z0123456789ABCDEFGHIJ",
  ],
  ["oldStateDays", ["0", "29", "3651", "many", ""], "a whole number from 30 to 3650"],
];

describe("The configuration of bootstrap", () => {
  it("refuses the file as it comes: three values are to be filled in", async () => {
    const mistakes = await mistakesOf({});
    assert.deepEqual([...mistakes].sort(), [
      "aws:allowedAccountIds is []; allowed: a list of one account id, twelve digits in quotes",
      `repository is ""; allowed: ${REPOSITORY}`,
      `repositoryId is ""; allowed: ${ID}`,
    ]);
  });

  for (const [key, values, allowed] of WRONG) {
    for (const value of values) {
      it(`refuses ${key} ${JSON.stringify(value)}, and says what is allowed: ${allowed.slice(0, 40)}`, async () => {
        assert.deepEqual(await mistakesOf({ ...FILLED_IN, [key]: value }), [
          `${key} is ${JSON.stringify(value)}; allowed: ${allowed}`,
        ]);
      });
    }
  }

  it("refuses to run in whichever account the shell is logged in to", async () => {
    for (const accounts of ["[]", '["1234"]', '["123456789012", "210987654321"]', '["*"]', "[12345678901]"])
      assert.deepEqual(await mistakesOf({ ...FILLED_IN, "aws:allowedAccountIds": accounts }), [
        `aws:allowedAccountIds is ${accounts}; allowed: a list of one account id, twelve digits in quotes`,
      ]);
  });

  it("takes the account's id as `pulumi config set` writes it, without quotes", async () => {
    assert.deepEqual(await mistakesOf({ ...FILLED_IN, "aws:allowedAccountIds": "[123456789012]" }), []);
  });

  it("tells all mistakes at once", async () => {
    const config = { ...FILLED_IN, repository: "shop", deployBranch: "*", oldStateDays: "1" };
    const mistakes = await mistakesOf(config);
    assert.deepEqual(
      mistakes.map((mistake) => mistake.split(" ")[0]),
      ["repository", "deployBranch", "oldStateDays"],
    );
  });

  it("takes every value at its limits", async () => {
    const config = {
      ...FILLED_IN,
      repository: `${"O".repeat(39)}/a.b_c-D`,
      repositoryId: "9".repeat(19),
      subjectPrefix: `repo:${"O".repeat(39)}@1/a.b_c-D@${"9".repeat(19)}`,
      deployBranch: "release/v1.2_x",
      project: `a${"1".repeat(28)}`,
      stacks: JSON.stringify(["a", "b".repeat(24)]),
      oldStateDays: "3650",
    };
    assert.deepEqual(await mistakesOf(config), []);
    assert.deepEqual(await mistakesOf({ ...FILLED_IN, oldStateDays: "30", stacks: '["production"]' }), []);
  });

  it("is needed for two stacks, main and a year of old states, unless it says otherwise", async () => {
    const { outputs } = await bootstrapOf();
    assert.deepEqual(Object.keys(outputs.deployRoleArns as object), ["staging", "production"]);
    assert.deepEqual(Object.keys(outputs).sort(), [
      "backendUrl",
      "deployRoleArns",
      "githubProviderArn",
      "permissionsBoundaryArns",
      "previewRoleArns",
      "region",
      "secretsProviders",
    ]);
  });
});
