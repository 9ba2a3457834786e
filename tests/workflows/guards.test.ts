import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { JOBS, job, STEPS, scriptOf, scriptsOf, WORKFLOWS, workflow } from "./workflow-files.ts";

const ROOT = new URL("../../", import.meta.url);

/** What each workflow runs for, and what each job may do: whatever is not here is not allowed. */
const EVENTS = {
  "comment.yml": { workflow_run: { workflows: ["Preview"], types: ["completed"] } },
  "deploy.yml": { push: { branches: ["main"] } },
  "drift.yml": { schedule: [{ cron: "17 3 * * *" }], workflow_dispatch: null },
  "image.yml": ["workflow_call"],
  "preview.yml": { pull_request: null },
  "stack.yml": ["workflow_call"],
};

const READ = { contents: "read" };
const BECOME_A_ROLE = { contents: "read", "id-token": "write" };
const PERMISSIONS = {
  "comment.yml comment": { actions: "read", "pull-requests": "write" },
  "deploy.yml image": READ,
  "deploy.yml production": BECOME_A_ROLE,
  "deploy.yml staging": BECOME_A_ROLE,
  "drift.yml compare": { ...BECOME_A_ROLE, deployments: "read" },
  "drift.yml report": { actions: "read", issues: "write" },
  "image.yml image": READ,
  "preview.yml account": BECOME_A_ROLE,
  "preview.yml image": READ,
  "preview.yml offline": READ,
  "preview.yml test": READ,
  "stack.yml deploy": BECOME_A_ROLE,
};

/** Jobs of preview.yml that run the code of a fork too. */
const FOR_FORKS = ["image", "offline", "test"] as const;

describe("Every workflow", () => {
  it("runs for the events that it is for, and none for pull_request_target", () => {
    const events = [...WORKFLOWS].map(([file, { on }]) => {
      return [file, "workflow_call" in on ? Object.keys(on) : on] as const;
    });
    assert.deepEqual(Object.fromEntries(events), EVENTS);
    for (const [file, { text }] of WORKFLOWS) assert.ok(!text.includes("pull_request_target"), file);
  });

  it("gives its jobs nothing, and each job exactly what it needs", () => {
    for (const [file, { permissions }] of WORKFLOWS) assert.deepEqual(permissions, {}, file);
    const jobs = JOBS.map(([where, { permissions }]) => [where, permissions] as const);
    assert.deepEqual(Object.fromEntries(jobs), PERMISSIONS);
  });

  it("pins each action by commit, and says which version that is", () => {
    const uses = STEPS.flatMap(([where, step]) => (step.uses === undefined ? [] : [[where, step.uses] as const]));
    assert.ok(uses.length > 20, `only ${uses.length} actions`);
    for (const [where, action] of uses) assert.match(action, /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/, where);
    for (const [file, { text }] of WORKFLOWS) {
      for (const line of text.split("\n").filter((candidate) => /^\s*(?:- )?uses: [^.]/.test(candidate))) {
        assert.match(line, / # v\d+\.\d+\.\d+$/, `${file}: ${line}`);
      }
    }
  });

  it("names one commit and version for an action, wherever it is used", () => {
    const lines = [...WORKFLOWS.values()].flatMap(
      ({ text }) => text.match(/[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\S+/g) ?? [],
    );
    const actions = new Set(lines.map((line) => line.split("@")[0]));
    assert.equal(new Set(lines).size, actions.size, [...new Set(lines)].sort().join("\n"));
  });

  it("calls only workflows that are here", () => {
    const called = JOBS.flatMap(([where, { uses }]) => (uses === undefined ? [] : [[where, uses] as const]));
    assert.deepEqual(
      new Set(called.map(([, uses]) => uses)),
      new Set(["./.github/workflows/image.yml", "./.github/workflows/stack.yml"]),
    );
    for (const [where, uses] of called) assert.ok(existsSync(new URL(uses, ROOT)), where);
  });

  it("runs on a named release of a runner, and ends in time", () => {
    for (const [where, { "runs-on": runner, "timeout-minutes": minutes, uses }] of JOBS) {
      if (uses !== undefined) continue;
      assert.match(runner ?? "", /^ubuntu-24\.04(?:-arm)?$/, where);
      assert.ok(minutes !== undefined && minutes <= (where === "stack.yml deploy" ? 110 : 30), `${where}: ${minutes}`);
    }
  });

  it("leaves no credentials of git behind", () => {
    const checkouts = STEPS.filter(([, { uses }]) => uses?.startsWith("actions/checkout@"));
    assert.equal(checkouts.length, 6);
    for (const [where, step] of checkouts) assert.equal(step.with?.["persist-credentials"], false, where);
  });

  it("holds no secret at all", () => {
    for (const [file, { text }] of WORKFLOWS) {
      assert.doesNotMatch(text, /\bsecrets[.[]|secrets: *inherit/, file);
      assert.doesNotMatch(
        text,
        /aws-(?:access-key-id|secret-access-key)|AWS_SECRET_ACCESS_KEY|PULUMI_ACCESS_TOKEN|PASSPHRASE/,
        file,
      );
    }
  });

  it("puts no expression into a script, where somebody's text could become code", () => {
    for (const [where, step] of STEPS) assert.ok(!scriptOf(step).includes("${{"), where);
  });

  it("stops a script at the first command that fails, in a pipe too", () => {
    for (const [file, { jobs, defaults }] of WORKFLOWS) {
      const runs = Object.values(jobs).some(({ steps = [] }) => steps.some(({ run }) => run !== undefined));
      if (runs) assert.equal(defaults?.run?.shell, "bash", file);
    }
  });

  it("reads four variables, each told in the head of preview.yml or stack.yml and in docs/workflows.md", () => {
    const read = new Set([...WORKFLOWS.values()].flatMap(({ text }) => text.match(/(?<=vars\.)\w+/g) ?? []));
    assert.deepEqual([...read].sort(), ["AWS_ROLE_ARN", "PULUMI_BACKEND_URL", "PULUMI_SECRETS_PROVIDER", "SMOKE_URL"]);
    const page = readFileSync(new URL("docs/workflows.md", ROOT), "utf8");
    const head = workflow("stack.yml").text.split("\nname:")[0] ?? "";
    for (const name of read) {
      assert.ok(head.includes(name), `stack.yml: ${name}`);
      assert.ok(page.includes(`\`${name}\``), `docs/workflows.md: ${name}`);
    }
  });

  it("calls scripts and commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as {
      scripts: Readonly<Record<string, string>>;
    };
    const all = JOBS.map(([, found]) => scriptsOf(found)).join("\n");
    const files = new Set(all.match(/(?<=node )delivery\/\S+\.ts|\.ci\/[\w-]+/g));
    assert.ok(files.size >= 7, [...files].join(", "));
    for (const file of files) assert.ok(existsSync(new URL(file, ROOT)), file);
    const commands = [...all.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, command = ""]) => command);
    assert.deepEqual(commands, ["preview"]);
    for (const command of commands) assert.ok(command in scripts, `npm run ${command}`);
  });
});

describe("A fork", () => {
  it("gets its tests, its image and its offline preview, none of them with a variable, a token or an environment", () => {
    const { jobs } = workflow("preview.yml");
    const own = Object.keys(jobs).filter((name) => !(FOR_FORKS as readonly string[]).includes(name));
    assert.deepEqual(own, ["account"]);
    for (const found of [...FOR_FORKS.map((name) => job("preview.yml", name)), job("image.yml", "image")]) {
      assert.deepEqual(found.permissions, { contents: "read" });
      assert.equal(found.if, undefined);
      assert.equal(found.environment, undefined);
      assert.doesNotMatch(JSON.stringify(found), /vars\.|github\.token|GITHUB_TOKEN/);
    }
  });

  it("does not reach the job that asks AWS", () => {
    assert.equal(
      job("preview.yml", "account").if,
      "github.event.pull_request.head.repo.full_name == github.repository && vars.PULUMI_BACKEND_URL != ''",
    );
  });

  it("runs no code in the workflow that may comment", () => {
    const { jobs } = workflow("comment.yml");
    assert.deepEqual(Object.keys(jobs), ["comment"]);
    const { steps = [] } = job("comment.yml", "comment");
    assert.deepEqual(
      steps.map(({ uses }) => uses?.split("@")[0]),
      ["actions/github-script", "actions/download-artifact", "actions/github-script"],
    );
    assert.deepEqual(
      steps.filter(({ run }) => run !== undefined),
      [],
    );
    assert.doesNotMatch(workflow("comment.yml").text, /actions\/checkout|child_process|import\(/);
    assert.equal(job("comment.yml", "comment").if, "github.event.workflow_run.event == 'pull_request'");
  });
});
