import type { DatabaseErrorFrame } from "./messages.ts";

/**
 * What the proxy tells a client that it refuses: AWS's texts, word for word ("Troubleshooting RDS Proxy with
 * PostgreSQL", Amazon RDS User Guide). `X` in them is the database user that the client named.
 *
 * AWS documents no SQLSTATE for any of them. 28000 for missing credentials is what drivers report from the field; the
 * others follow the class that PostgreSQL itself uses for the same situation.
 */
const REFUSALS = {
  NO_CREDENTIALS: {
    sqlState: "28000",
    text: (user: string) =>
      `This RDS proxy has no credentials for the role ${user}. Check the credentials for this role and try again.`,
  },
  IAM_AUTHENTICATION_FAILED: {
    sqlState: "28000",
    text: (user: string) =>
      `The IAM authentication failed for the role ${user}. Check the IAM token for this role and try again.`,
  },
  IAM_THROTTLED: {
    sqlState: "28000",
    text: () => "The IAM authentication failed because of too many competing requests.",
  },
  WRONG_PASSWORD: {
    sqlState: "28P01",
    text: (user: string) => `The password that was provided for the role ${user} is wrong.`,
  },
  IAM_NEEDS_TLS: { sqlState: "28000", text: () => "IAM authentication is allowed only with SSL connections." },
  TLS_REQUIRED: { sqlState: "28000", text: () => "This RDS Proxy requires TLS connections." },
  BORROW_TIMED_OUT: { sqlState: "53300", text: () => "Timed-out waiting to acquire database connection." },
  UNSUPPORTED_OPTION: {
    sqlState: "0A000",
    text: (option: string) => `Feature not supported: RDS Proxy currently doesn't support the option ${option}.`,
  },
  UNSUPPORTED_PROTOCOL: {
    sqlState: "0A000",
    text: () => "RDS Proxy supports only version 3.0 of the PostgreSQL messaging protocol.",
  },
  USER_MISSING: {
    sqlState: "28000",
    text: () => "A user name is missing from the connection startup packet.",
  },
  // Not AWS's: the texts that PostgreSQL gives to a client that breaks the protocol, and one for the unforeseen.
  PROTOCOL_VIOLATION: { sqlState: "08P01", text: (detail: string) => detail },
  INTERNAL: { sqlState: "XX000", text: () => "The local RDS Proxy failed to serve this connection." },
} as const;

/** Names one way in which the proxy refuses a client. */
export type RefusalCode = keyof typeof REFUSALS;

/** A refusal: `message` and `sqlState` go to the client, `diagnosis` only to whoever runs the proxy. */
export class ProxyRefusal extends Error {
  override readonly name = "ProxyRefusal";
  readonly code: RefusalCode;
  readonly sqlState: string;
  /** Why, in a sentence for the person at the laptop. Holds no password, token, signature or access key id. */
  readonly diagnosis: string;

  constructor(code: RefusalCode, subject: string, diagnosis: string, options?: ErrorOptions) {
    super(REFUSALS[code].text(subject), options);
    this.code = code;
    this.sqlState = REFUSALS[code].sqlState;
    this.diagnosis = diagnosis;
  }
}

/** PostgreSQL itself refused the connection for a reason that is the client's business: its own words are passed on. */
export class DatabaseRefusal extends Error {
  override readonly name = "DatabaseRefusal";
  readonly code = "DATABASE_REFUSED";
  /** SQLSTATE that PostgreSQL gave, such as 3D000 for a database that does not exist. */
  readonly sqlState: string;
  readonly frame: DatabaseErrorFrame;

  constructor(frame: DatabaseErrorFrame, options?: ErrorOptions) {
    super(frame.message, options);
    this.sqlState = frame.sqlState;
    this.frame = frame;
  }
}

/** The client closed its connection, or was closed, before it was served. Nobody is left to tell. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
  readonly code = "CLIENT_GONE";

  constructor(options?: ErrorOptions) {
    super("The client closed the connection before it was served.", options);
  }
}

/** TLS could not be agreed with the client. There is no channel left on which to tell it anything. */
export class TlsHandshakeFailed extends Error {
  override readonly name = "TlsHandshakeFailed";
  readonly code = "TLS_HANDSHAKE_FAILED";

  constructor(options?: ErrorOptions) {
    super("The TLS handshake with the client failed.", options);
  }
}

/** The settings given to the proxy cannot work. */
export class InvalidProxySettings extends Error {
  override readonly name = "InvalidProxySettings";
  readonly code = "INVALID_PROXY_SETTINGS";
}
