import { webcrypto } from "node:crypto";

/** A certificate and its private key, as PEM texts. */
export interface IssuedCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority that lives as long as this process. */
export interface CertificateAuthority {
  /** The certificate that clients trust, as PEM text. */
  readonly caPem: string;
  /**
   * Issues a certificate for a TLS server.
   *
   * @param dnsNames names that clients verify, at least one
   * @param options `ip`: an address that clients may verify instead
   * @throws RangeError when no name is given
   */
  issue(dnsNames: readonly string[], options?: { readonly ip?: string }): Promise<IssuedCertificate>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Certificates begin in the past, since clocks that look at them may be behind. */
const BACKDATED_MS = 10 * MINUTE_MS;
/** Long enough for an environment that somebody forgot to stop over a weekend. */
const LIFETIME_MS = 5 * DAY_MS;
/** ECDSA P-256: handshakes cost about half of what RSA 2048 takes. */
const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING_ALGORITHM = { name: "ECDSA", hash: "SHA-256" };

/** Makes a new certificate authority. Its private key stays in this process and cannot be exported. */
export async function createAuthority(): Promise<CertificateAuthority> {
  const x509 = await loadX509();
  const caKeys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, false, ["sign", "verify"]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity(),
      serialNumber: serialNumber(),
      name: "CN=Local Certificate Authority",
      keys: caKeys,
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return {
    caPem: ca.toString("pem"),
    issue: async (dnsNames, options = {}) => {
      const [commonName] = dnsNames;
      if (commonName === undefined) throw new RangeError("A certificate needs at least one DNS name; none was given.");
      const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
      const names = dnsNames.map((value) => ({ type: "dns" as const, value }));
      const addresses = options.ip === undefined ? [] : [{ type: "ip" as const, value: options.ip }];
      const certificate = await x509.X509CertificateGenerator.create(
        {
          ...validity(),
          serialNumber: serialNumber(),
          // The subject is for people to read, and holds 64 characters at most (RFC 5280, ub-common-name): clients verify the alternative names.
          subject: [{ CN: [commonName.slice(0, 64)] }],
          issuer: ca.subject,
          publicKey: keys.publicKey,
          signingKey: caKeys.privateKey,
          signingAlgorithm: SIGNING_ALGORITHM,
          extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
            new x509.SubjectAlternativeNameExtension([...names, ...addresses]),
            await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
          ],
        },
        webcrypto,
      );
      const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
      return { key: x509.PemConverter.encode(der, "PRIVATE KEY"), cert: certificate.toString("pem") };
    },
  };
}

const validity = () => ({
  notBefore: new Date(Date.now() - BACKDATED_MS),
  notAfter: new Date(Date.now() + LIFETIME_MS),
});

/** Random and positive, as RFC 5280 asks of serial numbers. Hexadecimal. */
const serialNumber = (): string => `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString("hex")}`;

/**
 * Loads the X.509 library. One of its dependencies (tsyringe) insists on the metadata functions of `Reflect` while it is
 * being loaded, and asks them only for what this library never records: they exist for that moment and go again, so that
 * nothing else in the process sees them.
 */
async function loadX509() {
  if ("getMetadata" in Reflect) return await import("@peculiar/x509");
  const nothing = () => undefined;
  for (const name of METADATA_FUNCTIONS) Reflect.defineProperty(Reflect, name, { value: nothing, configurable: true });
  try {
    return await import("@peculiar/x509");
  } finally {
    for (const name of METADATA_FUNCTIONS) Reflect.deleteProperty(Reflect, name);
  }
}

const METADATA_FUNCTIONS = ["getMetadata", "getOwnMetadata", "defineMetadata"] as const;
