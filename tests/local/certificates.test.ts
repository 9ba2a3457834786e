import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect, createServer, type Server } from "node:tls";
import { after, before, describe, it } from "mocha";
import { type CertificateAuthority, createAuthority, type IssuedCertificate } from "../../local/certificates.ts";

const NAME = "service.proxy-abcdefghijkl.eu-west-2.rds.amazonaws.com";

describe("The local certificate authority", () => {
  let authority: CertificateAuthority;
  let issued: IssuedCertificate;
  let server: Server;
  let port: number;

  before(async () => {
    authority = await createAuthority();
    issued = await authority.issue([NAME, "other.example"], { ip: "127.0.0.1" });
    server = createServer({ key: issued.key, cert: issued.cert }, (socket) => socket.on("error", () => {}).end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });

  after(() => server.close());

  const dial = async (options: ConnectionOptions): Promise<string> => {
    const socket = connect({ host: "127.0.0.1", port, ca: authority.caPem, ...options });
    try {
      await once(socket, "secureConnect");
      return socket.authorized ? "trusted" : "not trusted";
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    } finally {
      socket.destroy();
    }
  };

  for (const [what, options, outcome] of [
    ["the first name", { servername: NAME }, "trusted"],
    ["another name that was asked for", { servername: "other.example" }, "trusted"],
    ["the address", {}, "trusted"],
    ["a name that was not asked for", { servername: "wrong.example" }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["a name but does not trust the authority", { servername: NAME, ca: [] }, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  ] as const) {
    it(`answers "${outcome}" to a TLS client that verifies ${what}`, async () => {
      assert.equal(await dial({ ...options, ca: "ca" in options ? [...options.ca] : authority.caPem }), outcome);
    });
  }

  it("is not trusted in place of another authority of the same name", async () => {
    const other = await createAuthority();
    assert.notEqual(await dial({ servername: NAME, ca: other.caPem }), "trusted");
  });

  it("issues certificates that began minutes ago and end within days", () => {
    const { validFrom, validTo, ca } = new X509Certificate(issued.cert);
    const minutes = (text: string) => (Date.parse(text) - Date.now()) / 60_000;
    assert.ok(minutes(validFrom) < -5 && minutes(validFrom) > -60, validFrom);
    assert.ok(minutes(validTo) > 24 * 60 && minutes(validTo) < 10 * 24 * 60, validTo);
    assert.equal(ca, false);
  });

  it("issues ECDSA P-256 certificates, each with a key and a serial number of its own", async () => {
    const another = await authority.issue([NAME]);
    const [one, two] = [issued, another].map(({ cert }) => new X509Certificate(cert));
    assert.equal(one?.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    assert.notEqual(one?.serialNumber, two?.serialNumber);
    assert.notEqual(issued.key, another.key);
    assert.ok(two?.verify(new X509Certificate(authority.caPem).publicKey));
  });

  it("takes names longer than a common name may be", async () => {
    const long = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
    const { cert } = await authority.issue([long]);
    assert.equal(new X509Certificate(cert).checkHost(long), long);
  });

  it("refuses to issue a certificate without a name", async () => {
    await assert.rejects(authority.issue([]), { name: "RangeError", message: /at least one DNS name/ });
  });

  it("hands out no private key of its own", () => {
    assert.deepEqual(Object.keys(authority).sort(), ["caPem", "issue"]);
    assert.doesNotMatch(authority.caPem, /PRIVATE/);
  });

  it("leaves no metadata functions on the global Reflect", () => {
    assert.equal("getMetadata" in Reflect, false);
  });
});
