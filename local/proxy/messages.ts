/**
 * Messages of the PostgreSQL wire protocol, version 3.0, that the proxy itself says or reads ("Message Formats", PostgreSQL
 * documentation). Each is a type byte, a length that counts itself but not the type, and a body.
 */

/** Bytes of a message before its body: the type and the length. */
export const HEADER_BYTES = 5;

/** First byte of a message, as the number that is read from the wire. */
export const MessageType = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  error: 0x45, // E, from the database
  execute: 0x45, // E, from the client
  password: 0x70, // p
  query: 0x51, // Q
  readyForQuery: 0x5a, // Z
} as const;

/** An ErrorResponse of PostgreSQL, as it came and in the parts that the proxy looks at. */
export interface DatabaseErrorFrame {
  readonly bytes: Buffer;
  readonly sqlState: string;
  readonly message: string;
}

const encode = (type: string, body: Buffer): Buffer => {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(type, 0, "latin1");
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
};

/** AuthenticationOk. */
export const authenticationOk = (): Buffer => encode("R", Buffer.from([0, 0, 0, 0]));

/** AuthenticationCleartextPassword: how RDS Proxy asks for a token, which is too long for anything but clear text in TLS. */
export const authenticationCleartextPassword = (): Buffer => encode("R", Buffer.from([0, 0, 0, 3]));

/** ErrorResponse of severity FATAL: after it the connection ends. */
export const fatalError = (sqlState: string, message: string): Buffer => {
  const fields = ["SFATAL", "VFATAL", `C${sqlState}`, `M${message.replaceAll("\0", "")}`];
  return encode("E", Buffer.from(`${fields.join("\0")}\0\0`));
};

/** StartupMessage of protocol 3.0 with these parameters, in this order. */
export const startupMessage = (parameters: Iterable<readonly [name: string, value: string]>): Buffer => {
  const texts = [...parameters].flat().map((text) => `${text}\0`);
  const body = Buffer.from(`${texts.join("")}\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(PROTOCOL_3_0, 4);
  return Buffer.concat([head, body]);
};

/** Version 3.0 as a startup message carries it: the major number in the upper, the minor in the lower half. */
export const PROTOCOL_3_0 = 196_608;

/** One whole message, type and length included. */
export interface Frame {
  readonly type: number;
  readonly bytes: Buffer;
}

/** Cuts a run of bytes into messages; `rest` is what follows the last whole one. */
export function splitFrames(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const size = bytes.readUInt32BE(at + 1) + 1;
    if (size < HEADER_BYTES || bytes.length - at < size) break;
    frames.push({ type: bytes.readUInt8(at), bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return { frames, rest: bytes.subarray(at) };
}

/** Reads the SQLSTATE and the message of an ErrorResponse. */
export function readDatabaseError(frame: Frame): DatabaseErrorFrame {
  const fields = new Map(
    frame.bytes
      .toString("utf8", HEADER_BYTES)
      .split("\0")
      .filter((field) => field !== "")
      .map((field) => [field.charAt(0), field.slice(1)]),
  );
  return { bytes: frame.bytes, sqlState: fields.get("C") ?? "XX000", message: fields.get("M") ?? "" };
}

/**
 * Follows a stream of messages without holding any of it: says the type of each message as its header passes by, however
 * the stream is cut into chunks. Bytes that are no protocol stop it for good; the stream itself goes on.
 */
export class FrameFollower {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #onFrame: (type: number) => void;
  #headerFill = 0;
  #bodyLeft = 0;
  #lost = false;

  constructor(onFrame: (type: number) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#lost) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= step;
        at += step;
        continue;
      }
      const copied = chunk.copy(this.#header, this.#headerFill, at, at + HEADER_BYTES - this.#headerFill);
      this.#headerFill += copied;
      at += copied;
      if (this.#headerFill < HEADER_BYTES) return;
      this.#headerFill = 0;
      const length = this.#header.readUInt32BE(1);
      if (length < 4) this.#lost = true;
      else {
        this.#bodyLeft = length - 4;
        this.#onFrame(this.#header.readUInt8(0));
      }
    }
  }
}
