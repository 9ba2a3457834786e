import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { FrameFollower, fatalError, readDatabaseError, splitFrames } from "../../../local/proxy/messages.ts";

const message = (type: string, length: number): Buffer => {
  const bytes = Buffer.alloc(length + 5, 0x5a);
  bytes.write(type, 0);
  bytes.writeInt32BE(length + 4, 1);
  return bytes;
};
// Bodies full of the letter Z, which is also the type of ReadyForQuery.
const STREAM = Buffer.concat([message("Q", 30), message("S", 0), message("d", 300), message("Z", 1)]);
const follow = (chunks: Buffer[]): string => {
  let types = "";
  const follower = new FrameFollower((type) => {
    types += String.fromCharCode(type);
  });
  for (const chunk of chunks) follower.push(chunk);
  return types;
};

describe("The messages of the wire protocol", () => {
  it("are told apart however the stream is cut", () => {
    for (let size = 1; size <= STREAM.length; size += 1) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < STREAM.length; at += size) chunks.push(STREAM.subarray(at, at + size));
      assert.equal(follow(chunks), "QSdZ", `in chunks of ${size}`);
    }
  });

  it("are no longer looked for once the stream is none of theirs", () => {
    assert.equal(follow([message("Q", 3), Buffer.from([0x51, 0, 0, 0, 3]), message("Q", 3)]), "Q");
  });

  it("are split with what is left of an unfinished one", () => {
    const { frames, rest } = splitFrames(STREAM.subarray(0, STREAM.length - 1));
    assert.deepEqual(
      frames.map(({ type }) => String.fromCharCode(type)),
      ["Q", "S", "d"],
    );
    assert.equal(rest.length, 5);
    assert.equal(splitFrames(Buffer.from([0x51, 0, 0, 0, 0, 0, 0])).frames.length, 0);
  });

  it("carry an error from the proxy that reads as one of PostgreSQL's", () => {
    const { frames } = splitFrames(fatalError("28000", "no\0 entry é"));
    assert.equal(frames.length, 1);
    const { sqlState, message: text } = readDatabaseError(frames[0] ?? assert.fail());
    assert.deepEqual([sqlState, text], ["28000", "no entry é"]);
  });
});
