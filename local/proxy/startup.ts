import { once } from "node:events";
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { DeclaredProxy } from "../declared.ts";
import { ClientGone, ProxyRefusal, TlsHandshakeFailed } from "./errors.ts";
import { PROTOCOL_3_0 } from "./messages.ts";
import { readStartupPacket } from "./packets.ts";
import type { Wire } from "./wire.ts";

/** Request codes that stand where a protocol version would ("Message Formats", PostgreSQL documentation). */
const SSL_REQUEST = 80_877_103;
const GSS_ENCRYPTION_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;

/** Startup parameters that RDS Proxy takes, compared without regard to case, as PostgreSQL compares names of settings. */
const ALLOWED_PARAMETERS: ReadonlySet<string> = new Set([
  "user",
  "database",
  "application_name",
  "client_encoding",
  "datestyle",
  "timezone",
  "extra_float_digits",
  "search_path",
]);

/** A client that has said who it is and what it wants. Nothing about it is proven yet. */
export interface StartedClient {
  /** The client's socket, the TLS one when it asked for TLS. */
  readonly socket: Socket;
  readonly tls: boolean;
  readonly user: string;
  /** Startup parameters as the client gave them, `user` among them. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** What clients come in through. */
export interface Entrance {
  readonly declared: DeclaredProxy;
  /** What is presented at this moment. */
  readonly secureContext: () => SecureContext;
  /** Carries the TLS socket too, from its first byte. */
  readonly wire: Wire;
}

/**
 * Takes a connection from its first byte to a startup message that RDS Proxy would accept: TLS, version, parameters.
 *
 * @param secured told of the TLS socket as soon as it exists, so that a refusal goes through it
 * @returns undefined for a CancelRequest, which RDS Proxy ignores
 * @throws ProxyRefusal, ClientGone, TlsHandshakeFailed
 */
export async function startClient(
  raw: Socket,
  { declared, secureContext, wire }: Entrance,
  secured: (socket: Socket) => void,
): Promise<StartedClient | undefined> {
  let socket = raw;
  let gssRefused = false;
  for (;;) {
    const { code, body } = await readStartupPacket(socket);
    const tls = socket !== raw;
    if (code === CANCEL_REQUEST) return undefined;
    if (code === GSS_ENCRYPTION_REQUEST && !tls && !gssRefused) {
      gssRefused = true;
      socket.write("N");
    } else if (code === SSL_REQUEST && !tls) {
      socket = await upgradeToTls(raw, secureContext(), wire);
      secured(socket);
    } else {
      refuseOtherProtocols(code);
      refuseClearText(tls, declared);
      return { socket, tls, ...readParameters(body) };
    }
  }
}

async function upgradeToTls(raw: Socket, secureContext: SecureContext, wire: Wire): Promise<TLSSocket> {
  // Whoever can inject bytes ahead of the handshake could have them taken for the client's own (CVE-2021-23222).
  if (raw.readableLength > 0) {
    throw new ProxyRefusal(
      "PROTOCOL_VIOLATION",
      "received unencrypted data after SSL request",
      "The client sent more in clear text behind its request for TLS.",
    );
  }
  raw.write("S");
  const socket = new TLSSocket(raw, { isServer: true, secureContext });
  wire.carry(socket);
  const closed = new AbortController();
  const onClose = () => closed.abort();
  socket.once("close", onClose);
  raw.once("close", onClose);
  try {
    await once(socket, "secure", { signal: closed.signal });
  } catch (cause) {
    throw closed.signal.aborted ? new ClientGone({ cause }) : new TlsHandshakeFailed({ cause });
  } finally {
    socket.off("close", onClose);
    raw.off("close", onClose);
  }
  return socket;
}

function refuseOtherProtocols(version: number): void {
  if (version === PROTOCOL_3_0) return;
  const shown = `${version >>> 16}.${version & 0xffff}`;
  throw new ProxyRefusal("UNSUPPORTED_PROTOCOL", "", `The client asked for protocol version ${shown}.`);
}

function refuseClearText(tls: boolean, declared: DeclaredProxy): void {
  if (tls) return;
  if (declared.requireTls) {
    throw new ProxyRefusal(
      "TLS_REQUIRED",
      "",
      `The proxy ${declared.name} declares requireTls, and the client did not ask for TLS.`,
    );
  }
  if (declared.iamAuthRequired) {
    throw new ProxyRefusal(
      "IAM_NEEDS_TLS",
      "",
      `The proxy ${declared.name} declares IAM authentication, and the client did not ask for TLS.`,
    );
  }
}

/** Reads the name and value pairs of a startup message and refuses those that RDS Proxy refuses. */
export function readParameters(body: Buffer): { user: string; parameters: ReadonlyMap<string, string> } {
  const texts = body.toString("utf8").split("\0");
  // Pairs, each text ended by a zero byte, then one zero byte more: two empty texts at the end of the split.
  if (texts.length < 2 || texts.length % 2 !== 0 || texts.pop() !== "" || texts.pop() !== "") throw badLayout();
  const parameters = new Map<string, string>();
  for (let index = 0; index < texts.length; index += 2) {
    const name = texts[index];
    const value = texts[index + 1];
    if (!name || value === undefined) throw badLayout();
    if (!ALLOWED_PARAMETERS.has(name.toLowerCase())) {
      throw new ProxyRefusal(
        "UNSUPPORTED_OPTION",
        name.slice(0, 100),
        `Startup parameters that RDS Proxy takes: ${[...ALLOWED_PARAMETERS].join(", ")}. Set others with ALTER ROLE … SET.`,
      );
    }
    parameters.set(name, value);
  }
  const user = parameters.get("user");
  if (!user) throw new ProxyRefusal("USER_MISSING", "", "The startup message names no user.");
  return { user, parameters };
}

const badLayout = (): ProxyRefusal =>
  new ProxyRefusal(
    "PROTOCOL_VIOLATION",
    "invalid startup packet layout: expected terminator as last byte",
    "The startup message is not a list of names and values that a zero byte ends.",
  );
