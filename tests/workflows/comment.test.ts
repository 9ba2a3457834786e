import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "mocha";
import { planMarkdown } from "../../local/preview/markdown.ts";
import { type Deed, type Plan, UNTIL_DEPLOYED } from "../../local/preview/plan.ts";
import { runScript, writes } from "./github-script.ts";
import { job, stepNamed } from "./workflow-files.ts";

const FIND = stepNamed(job("comment.yml", "comment"), "Find the artifact and the pull request");
const POST = stepNamed(job("comment.yml", "comment"), "Check the text and post it");

const MARK = "<!-- offline-preview -->";

/** Text that would be refused outside of code. */
const LOUD = "<b>@someone</b> #1 https://example.com/runbook#2 [a](b) &amp; a\\b";

/** What `npm run preview -- --markdown` prints of a plan that has a change of every kind. */
const TEXT = planMarkdown(
  {
    changes: [
      change("replace", "aws:rds/proxy:Proxy", "proxy", {
        vpcSubnetIds: { before: ["subnet-1"], after: ["subnet-2"] },
      }),
      change("update", "aws:iam/rolePolicy:RolePolicy", "start", {
        policy: {
          before: JSON.stringify({ Statement: [] }),
          after: JSON.stringify({ Statement: [{ Action: "ecr:*" }] }),
        },
      }),
      change("update", "aws:cloudwatch/metricAlarm:MetricAlarm", "alarm", {
        alarmDescription: { after: `${LOUD}\n\`\`\`\`` },
      }),
      change("update", "aws:ecs/service:Service", "service", {
        taskDefinition: { before: "a", after: UNTIL_DEPLOYED },
      }),
      change("delete", "aws:sns/topic:Topic", "of@someone"),
      change("create", "aws:sns/topic:Topic", LOUD),
    ],
    unchanged: 121,
    diagnostics: [{ severity: "warning", message: `${LOUD}\n\`\`\`\nmore` }],
  } as Plan,
  { stack: "production", against: "HEAD^1" },
);

function change(deed: Deed, type: string, name: string, properties: object = {}): object {
  return {
    deed,
    type,
    name,
    properties,
    replacedFor: deed === "replace" ? Object.keys(properties) : [],
    deletedFirst: false,
  };
}

/** The run of preview.yml for the head of a fork's pull request. */
const RUN = {
  id: 42,
  html_url: "https://github.com/acme/service/actions/runs/42",
  head_sha: "c0ffee",
  head_branch: "main",
  head_repository: { owner: { login: "stranger" }, full_name: "stranger/service" },
};

const PULLS = [
  { number: 11, head: { sha: "other" } },
  { number: 12, head: { sha: "c0ffee" } },
];

function find(artifacts: readonly object[], pulls: readonly object[] = PULLS) {
  const answers = { "actions.listWorkflowRunArtifacts": { artifacts }, "pulls.list": pulls };
  return runScript(FIND, { payload: { workflow_run: RUN }, answers });
}

/** Runs the step that posts, on an artifact made by `lay`. */
function post(lay: (folder: string) => void, comments: readonly object[] = []) {
  const folder = mkdtempSync(path.join(tmpdir(), "comment-"));
  mkdirSync(path.join(folder, "offline-preview"));
  lay(path.join(folder, "offline-preview"));
  return runScript(POST, {
    folder,
    env: { PULL: "12" },
    payload: { workflow_run: RUN },
    answers: { "issues.listComments": comments },
  });
}

const holding = (content: string | Uint8Array) => (folder: string) =>
  writeFileSync(path.join(folder, "preview.md"), content);

describe("The comment of a preview", () => {
  it("goes to the open pull request whose head was previewed, as GitHub tells and not the artifact", async () => {
    const { outputs, failures, calls } = await find([{ size_in_bytes: 900, expired: false }]);
    assert.deepEqual([outputs, failures], [{ pull: 12 }, []]);
    assert.deepEqual(
      calls.map(({ operation, given }) => [operation, given.run_id ?? given.head, given.state]),
      [
        ["actions.listWorkflowRunArtifacts", 42, undefined],
        ["pulls.list", "stranger:main", "open"],
      ],
    );
  });

  it("goes nowhere when the run made no preview, or the pull request has moved on", async () => {
    for (const { outputs, failures, notices } of [
      await find([]),
      await find([{ size_in_bytes: 900, expired: true }]),
      await find([{ size_in_bytes: 900, expired: false }], PULLS.slice(0, 1)),
    ]) {
      assert.deepEqual([outputs, failures, notices.length], [{}, [], 1]);
    }
  });

  it("refuses an artifact that is too large before it is downloaded, and one that is doubled", async () => {
    const large = await find([{ size_in_bytes: 200_001, expired: false }]);
    assert.deepEqual([large.outputs, large.failures.length], [{}, 1]);
    const fits = await find([{ size_in_bytes: 200_000, expired: false }]);
    assert.deepEqual(fits.outputs, { pull: 12 });
    const two = await find([
      { size_in_bytes: 1, expired: false },
      { size_in_bytes: 1, expired: false },
    ]);
    assert.deepEqual([two.outputs, two.failures.length], [{}, 1]);
  });

  it("is made once", async () => {
    const run = await post(holding(TEXT));
    assert.deepEqual(run.failures, []);
    const [call, ...others] = writes(run);
    assert.deepEqual(others, []);
    assert.deepEqual([call?.operation, call?.given.issue_number], ["issues.createComment", 12]);
    const body = String(call?.given.body);
    assert.ok(body.startsWith(`${MARK}\n`));
    assert.ok(body.endsWith(`\n\n${TEXT}`));
    assert.match(body, /Made offline, by the code of this pull request/);
  });

  it("points to the run when the preview is too long for a comment, and is as strict with it", async () => {
    const long = `- update \`${"x".repeat(100)}\`\n`.repeat(600);
    const run = await post(holding(long));
    assert.deepEqual(run.failures, []);
    const [call, ...others] = writes(run);
    assert.deepEqual(others, []);
    assert.match(
      String(call?.given.body),
      /\n\nIt is too long for a comment: \[the run\]\(https:\/\/github\.com\/acme\/service\/actions\/runs\/42\)/,
    );
    assert.deepEqual(writes(await post(holding(`${long}@someone`))), []);
  });

  it("is updated in place from then on, and nobody else's comment is touched", async () => {
    const run = await post(holding(TEXT), [
      { id: 1, user: { login: "stranger" }, body: `${MARK}\nmine` },
      { id: 2, user: { login: "github-actions[bot]" }, body: "of another workflow" },
      { id: 3, user: null, body: `${MARK}` },
      { id: 4, user: { login: "github-actions[bot]" }, body: `${MARK}\nolder` },
    ]);
    const [call, ...others] = writes(run);
    assert.deepEqual(others, []);
    assert.deepEqual([call?.operation, call?.given.comment_id], ["issues.updateComment", 4]);
  });

  const REFUSED: Readonly<Record<string, string | Uint8Array>> = {
    "no text": "",
    "more than 500000 bytes": "a".repeat(500_001),
    "what is not UTF-8": Uint8Array.of(0x61, 0xff, 0xfe),
    "an escape sequence": "\u001b[31mred",
    "a carriage return": "a\rb",
    "a change of direction": "abc\u202edef",
    "an invisible character": "ab\u200bc",
    "a tag": "<img src=x>",
    "the end of a tag": "</b>",
    "a comment of HTML": "<!-- x -->",
    "a link": "[click](x)",
    "a link with a space": "[click] (x)",
    "an image": "![x](y)",
    "a link by reference": "[a][b]",
    "a definition of a link": "[a]: b",
    "an address": "see https://example.com",
    "an address in capitals": "HTTP://example.com",
    "an address without scheme": "www.example.com",
    "a mention": "thanks @someone",
    "a mention at the start of a line": "a\n@org/team",
    "a mention in brackets": "(@someone)",
    "a reference to an issue": "fixes #12",
    "a reference to an issue of another repository": "acme/other#12",
    "a reference of the other form": "see GH-12",
    "a mention in entities": "&commat;someone or &#64;someone",
    "a mention that is escaped": "\\@someone",
    "a block without a language, whose end could be taken for a beginning": "```\nhttps://example.com\n```",
    "a block that does not end": "```text\nhttps://example.com",
    "a block that ends early": "````text\n`````\nhttps://example.com\n````",
    "a block that ends with its list": "- a\n\n  ```diff\n  b\nhttps://example.com\n  ```",
    "a block that is not one, because it stands in HTML":
      "<details><summary>Created (1)</summary>\n```text\n<img src=x>\n```\n</details>",
    "a folded part with more in it": "<details><summary>Created (1)</summary><img src=x>",
    "a folded part with a title of its own": "<details><summary>@someone (1)</summary>",
    "code between two backticks": "`` https://example.com ``",
    "code that ends in the next line": "`a\nhttps://example.com`",
    "code that is not code because its backtick is escaped": "\\` https://example.com `a`",
    "code that a table cuts in two": "| a | b |\n|---|---|\n| `a | https://example.com` |",
    "an address beside code": "`a` https://example.com `b`",
  };
  for (const [what, content] of Object.entries(REFUSED)) {
    it(`is not made of ${what}`, async () => {
      const run = await post(holding(content));
      assert.equal(run.failures.length, 1);
      assert.match(run.failures[0] ?? "", /^The preview is not posted: /);
      assert.deepEqual(writes(run), []);
    });
  }

  it("is not made of an artifact that holds another file, or a link to one", async () => {
    const more = await post((folder) => {
      writeFileSync(path.join(folder, "preview.md"), TEXT);
      writeFileSync(path.join(folder, "another"), "");
    });
    const other = await post((folder) => writeFileSync(path.join(folder, "other.md"), TEXT));
    const link = await post((folder) => symlinkSync("/etc/hosts", path.join(folder, "preview.md")));
    for (const run of [more, other, link]) {
      assert.equal(run.failures.length, 1);
      assert.deepEqual(writes(run), []);
    }
  });
});
