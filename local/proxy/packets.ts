import type { Socket } from "node:net";
import { ClientGone, ProxyRefusal } from "./errors.ts";
import { HEADER_BYTES, MessageType } from "./messages.ts";

/** Longest startup packet that PostgreSQL takes (MAX_STARTUP_PACKET_LENGTH in its source). */
const MAX_STARTUP_BYTES = 10_000;
/** Longest password message that PostgreSQL takes (PG_MAX_AUTH_TOKEN_LENGTH in its source); a token has some 2,000 bytes. */
const MAX_PASSWORD_BYTES = 65_535;

/**
 * Takes exactly `length` bytes off a socket that nobody else reads, and leaves the rest on it.
 * The wait has no limit of its own: whoever limits it destroys the socket.
 *
 * @throws ClientGone when the socket ends or is destroyed first.
 */
function readExactly(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (bytes: Buffer | undefined) => {
      for (const event of WAKING_EVENTS) socket.off(event, look);
      if (bytes) resolve(bytes);
      else reject(new ClientGone());
    };
    const look = () => {
      const bytes: Buffer | null = socket.read(length);
      if (bytes?.length === length) settle(bytes);
      else if (bytes !== null || socket.readableEnded || socket.destroyed) settle(undefined);
    };
    // Once for the whole wait: each new listener for `readable` is told again of the bytes that do not suffice.
    for (const event of WAKING_EVENTS) socket.on(event, look);
    look();
  });
}

const WAKING_EVENTS = ["readable", "end", "close", "error"] as const;

/** A packet of the start of a connection: a request code or protocol version, and what follows it. */
export interface StartupPacket {
  readonly code: number;
  readonly body: Buffer;
}

/**
 * Reads one untyped packet, as connections start with.
 *
 * @throws ProxyRefusal PROTOCOL_VIOLATION for a length outside of what PostgreSQL takes: also the fate of whatever is not this protocol.
 */
export async function readStartupPacket(socket: Socket): Promise<StartupPacket> {
  const length = (await readExactly(socket, 4)).readUInt32BE();
  if (length < 8 || length > MAX_STARTUP_BYTES) {
    throw new ProxyRefusal(
      "PROTOCOL_VIOLATION",
      "invalid length of startup packet",
      `The first packet claims ${length} bytes; 8 to ${MAX_STARTUP_BYTES} are allowed. The client may not speak the PostgreSQL protocol.`,
    );
  }
  const code = (await readExactly(socket, 4)).readUInt32BE();
  return { code, body: length > 8 ? await readExactly(socket, length - 8) : Buffer.alloc(0) };
}

/** Reads the PasswordMessage that answers an authentication request. */
export async function readPassword(socket: Socket): Promise<string> {
  const header = await readExactly(socket, HEADER_BYTES);
  const type = header.readUInt8(0);
  if (type !== MessageType.password) {
    throw new ProxyRefusal(
      "PROTOCOL_VIOLATION",
      `expected password response, got message type ${type}`,
      `The client answered the request for its token with a message of type ${type}.`,
    );
  }
  const length = header.readUInt32BE(1);
  if (length < 5 || length > MAX_PASSWORD_BYTES) {
    throw new ProxyRefusal(
      "PROTOCOL_VIOLATION",
      "invalid password packet size",
      `The password message claims ${length} bytes; 5 to ${MAX_PASSWORD_BYTES} are allowed.`,
    );
  }
  const body = await readExactly(socket, length - 4);
  if (body.indexOf(0) !== body.length - 1) {
    throw new ProxyRefusal(
      "PROTOCOL_VIOLATION",
      "invalid password packet size",
      "The password message is not one text that a zero byte ends.",
    );
  }
  return body.toString("utf8", 0, body.length - 1);
}
