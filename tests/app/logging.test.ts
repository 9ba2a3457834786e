import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { captureLog } from "./captured-log.ts";

describe("The log", () => {
  it("has one line of JSON for each event, with its level as a word and an ISO time", () => {
    const log = captureLog();
    log.logger.warn({ code: "SOMETHING", host: "h" }, "a message");
    assert.equal(log.text().split("\n").length, 2);
    const { time, ...line } = log.lines()[0] ?? assert.fail();
    assert.deepEqual(line, { level: "warn", code: "SOMETHING", host: "h", msg: "a message" });
    assert.equal(new Date(String(time)).toISOString(), time);
  });

  it("shows an error with its type, message, stack and cause, and no secret in any of them", () => {
    const log = captureLog(["hunter2"]);
    const cause = new Error("X-Amz-Signature=0123456789abcdef&rest");
    log.logger.error({ err: new TypeError("the password is hunter2", { cause }) }, "failed with hunter2");
    const [line] = log.lines();
    const { type, message, stack } = (line?.err ?? {}) as Record<string, string>;
    assert.equal(type, "TypeError");
    assert.match(String(message), /^the password is \[scrubbed\]/);
    assert.match(String(stack), /logging\.test\.ts/);
    assert.match(log.text(), /X-Amz-Signature=\[scrubbed\]&rest/);
    assert.doesNotMatch(log.text(), /hunter2|0123456789abcdef/);
  });
});
