import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeSoak } from "../../../local/soak/judgement.ts";
import { soakText } from "../../../local/soak/text.ts";
import { goodEvidence, outcome, samplesOf } from "./evidence.ts";

/** What begins a colour. */
const ESCAPE = "\u001b";

describe("The report of a soak", () => {
  it("tells the series, the totals and the verdict", () => {
    const text = soakText(judgeSoak(goodEvidence()));
    assert.match(text, /after rotation .* 20 .* 2nd quarter .* last .* allowed/);
    assert.match(text, /their listeners +(│ +100 ){7,}│ +\+4 │/);
    assert.match(text, /requests +│ +20 │/);
    assert.match(text, /doubled +│ +0 │/);
    assert.match(text, /Verdict: PASSED\n {2}20 requests over 20 rotations/);
    assert.doesNotMatch(text, /failure|OUTCOME_UNKNOWN/);
    assert.ok(!text.includes(ESCAPE));
  });

  it("marks what grew, and lists failures by kind", () => {
    const evidence = goodEvidence();
    const outcomes = [...evidence.outcomes, outcome({ succeeded: false, status: 502 })];
    const samples = samplesOf(20, 20, { sockets: (rotation) => rotation });
    const text = soakText(judgeSoak({ ...evidence, outcomes, samples }));
    assert.match(text, /sockets .*│ +118 ! │ +\+0 │/);
    assert.equal(text.match(/ ! /g)?.length, 1);
    assert.match(text, /502 +│ +1 │/);
    assert.match(text, /Verdict: FAILED/);
  });

  it("is in colours for a terminal only, and no wider than one", () => {
    const samples = samplesOf(20, 20, {});
    const report = judgeSoak(goodEvidence({ samples }));
    const text = soakText(report);
    assert.ok(Math.max(...text.split("\n").map((line) => line.length)) <= 120, text);
    assert.ok(soakText(report, { colours: true }).includes(`Verdict: ${ESCAPE}[32;1mPASSED`));
  });
});
