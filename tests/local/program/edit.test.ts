import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { edit, ResourceNotFound, without, withoutStatement } from "../../../local/program/edit.ts";
import { readDeclared } from "../../../local/program/read.ts";
import { evaluate, type Program } from "../../../local/program.ts";

describe("An edit of the declared resources", () => {
  let program: Program;
  before(async () => {
    program = await evaluate("production");
  });

  it("changes one resource's inputs, and what others read of them", () => {
    const edited = edit(program, { type: "Proxy", name: "proxy" }, (inputs) => ({ ...inputs, requireTls: false }));
    assert.equal(readDeclared(edited).proxy.requireTls, false);
    assert.equal(readDeclared(program).proxy.requireTls, true);
    assert.equal(edited.resources.length, program.resources.length);
  });

  it("leaves one resource out", () => {
    const edited = without(program, { type: "aws:rds/proxyTarget:ProxyTarget", name: "proxy" });
    assert.equal(edited.resources.length, program.resources.length - 1);
    assert.throws(() => readDeclared(edited), /stands for one aws:rds\/proxyTarget:ProxyTarget; declared: none/);
  });

  it("leaves one statement out of a policy", () => {
    const edited = withoutStatement(program, "proxy-read-secret", "DecryptMasterSecret");
    const policy = edited.resources.find(({ name }) => name === "proxy-read-secret")?.inputs.policy;
    assert.match(String(policy), /ReadMasterSecret/);
    assert.doesNotMatch(String(policy), /DecryptMasterSecret/);
  });

  it("is refused when nothing has the name, with the names that there are", () => {
    assert.throws(
      () => without(program, { type: "RolePolicy", name: "proxy-conect" }),
      (error) =>
        error instanceof ResourceNotFound && /proxy-connect-service, .*|.*, proxy-connect-service/.test(error.message),
    );
    assert.throws(() => withoutStatement(program, "proxy-read-secret", "Nothing"), ResourceNotFound);
  });
});
