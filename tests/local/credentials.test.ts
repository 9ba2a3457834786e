import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, it } from "mocha";
import {
  type CredentialsEndpoint,
  createSecurityTokenService,
  type SecurityTokenService,
  startCredentialsEndpoint,
} from "../../local/credentials.ts";

const roleArn = "arn:aws:iam::111122223333:role/task";
const hourMs = 60 * 60 * 1_000;
const start = Date.UTC(2026, 0, 1);

function clock(): { now: () => number; advance: (ms: number) => void } {
  let time = start;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}

describe("The security token service", () => {
  it("issues credentials in the form of AWS's, different each time", () => {
    const service = createSecurityTokenService({ now: () => start });
    const one = service.issue(roleArn);
    const other = service.issue(roleArn);
    assert.match(one.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
    assert.match(one.secretAccessKey, /^[A-Za-z0-9+/]{40}$/);
    assert.match(one.sessionToken, /^[A-Za-z0-9+/]{800}$/);
    assert.equal(one.roleArn, roleArn);
    assert.equal(one.expiration.getTime(), start + 6 * hourMs);
    assert.notEqual(one.accessKeyId, other.accessKeyId);
    assert.notEqual(one.secretAccessKey, other.secretAccessKey);
    assert.notEqual(one.sessionToken, other.sessionToken);
  });

  it("knows credentials until the moment at which they expire, and no others", () => {
    const { now, advance } = clock();
    const service = createSecurityTokenService({ now });
    const short = service.issue(roleArn, 5);
    const long = service.issue("arn:aws:iam::111122223333:role/other", 60);
    assert.equal(service.find("ASIAAAAAAAAAAAAAAAAA"), undefined);
    advance(4_999);
    assert.equal(service.find(short.accessKeyId), short);
    advance(1);
    assert.equal(service.find(short.accessKeyId), undefined);
    assert.equal(service.find(long.accessKeyId)?.roleArn, "arn:aws:iam::111122223333:role/other");
  });

  for (const lifetimeSeconds of [0, -1, Number.NaN]) {
    it(`refuses a lifetime of ${lifetimeSeconds} seconds`, () => {
      assert.throws(() => createSecurityTokenService().issue(roleArn, lifetimeSeconds), RangeError);
    });
  }
});

describe("The credentials endpoint", () => {
  const endpoints: CredentialsEndpoint[] = [];
  afterEach(async () => {
    await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()));
  });

  async function endpointOf(
    securityTokenService: SecurityTokenService,
    options: { lifetimeSeconds?: number; now?: () => number } = {},
  ): Promise<CredentialsEndpoint> {
    const endpoint = await startCredentialsEndpoint({ securityTokenService, roleArn, ...options });
    endpoints.push(endpoint);
    return endpoint;
  }

  async function keyId({ fullUri, authorizationToken }: CredentialsEndpoint): Promise<string> {
    const response = await fetch(fullUri, { headers: { authorization: authorizationToken } });
    assert.equal(response.status, 200);
    return String(Object(await response.json()).AccessKeyId);
  }

  it("answers the one who knows the token with the role's credentials", async () => {
    const service = createSecurityTokenService({ now: () => start });
    const { fullUri, authorizationToken } = await endpointOf(service, { now: () => start });
    assert.match(fullUri, /^http:\/\/127\.0\.0\.1:\d+\/v2\/credentials\/[0-9a-f]{32}$/);
    const response = await fetch(fullUri, { headers: { authorization: authorizationToken } });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    const body = Object(await response.json());
    const issued = service.find(body.AccessKeyId);
    assert.deepEqual(body, {
      RoleArn: roleArn,
      AccessKeyId: issued?.accessKeyId,
      SecretAccessKey: issued?.secretAccessKey,
      Token: issued?.sessionToken,
      Expiration: "2026-01-01T06:00:00Z",
    });
  });

  it("refuses everyone else as JSON, without a credential in the answer", async () => {
    const { fullUri, authorizationToken } = await endpointOf(createSecurityTokenService());
    const headers = { authorization: authorizationToken };
    const cases = [
      { url: fullUri, init: {}, status: 401 },
      { url: fullUri, init: { headers: { authorization: `${authorizationToken}x` } }, status: 403 },
      { url: fullUri, init: { headers: { authorization: "" } }, status: 403 },
      { url: `${fullUri}0`, init: { headers }, status: 404 },
      { url: new URL("/", fullUri).href, init: { headers }, status: 404 },
      { url: fullUri, init: { headers, method: "POST" }, status: 405 },
      { url: fullUri, init: { headers, method: "DELETE" }, status: 405 },
    ];
    for (const { url, init, status } of cases) {
      const response = await fetch(url, init);
      assert.equal(response.status, status);
      const body = Object(await response.json());
      assert.deepEqual(Object.keys(body).toSorted(), ["HTTPErrorCode", "code", "message"]);
      assert.equal(body.HTTPErrorCode, status);
      assert.ok(!JSON.stringify(body).includes(authorizationToken));
    }
    assert.equal((await fetch(fullUri, { headers, method: "HEAD" })).status, 405);
  });

  it("hands out the same credentials until a quarter of an hour is left, then new ones; the old ones live on", async () => {
    const { now, advance } = clock();
    const service = createSecurityTokenService({ now });
    const endpoint = await endpointOf(service, { now });
    const first = await keyId(endpoint);
    advance(5.75 * hourMs - 1);
    assert.equal(await keyId(endpoint), first);
    advance(1);
    const second = await keyId(endpoint);
    assert.notEqual(second, first);
    assert.notEqual(service.find(first), undefined);
    assert.equal(await keyId(endpoint), second);
    advance(hourMs / 4);
    assert.equal(service.find(first), undefined);
    assert.notEqual(service.find(second), undefined);
  });

  it("renews credentials of a short life when half of it is left", async () => {
    const { now, advance } = clock();
    const endpoint = await endpointOf(createSecurityTokenService({ now }), { now, lifetimeSeconds: 10 });
    const first = await keyId(endpoint);
    advance(4_999);
    assert.equal(await keyId(endpoint), first);
    advance(1);
    assert.notEqual(await keyId(endpoint), first);
  });

  it("closes its port although a client keeps its connection", async () => {
    const endpoint = await endpointOf(createSecurityTokenService());
    await keyId(endpoint);
    await endpoint.close();
    await assert.rejects(fetch(endpoint.fullUri));
  });

  describe("before the AWS SDK's default chain", function () {
    // It starts a process that loads the SDK.
    this.timeout(10_000);

    const mint = `
      import { Signer } from "@aws-sdk/rds-signer";
      const signer = new Signer({ hostname: "proxy.example", port: 5432, username: "app" });
      process.stdout.write(await signer.getAuthToken());`;

    async function mintWith(environment: Record<string, string>): Promise<string> {
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", mint], {
        env: { AWS_REGION: "eu-west-2", AWS_EC2_METADATA_DISABLED: "true", HOME: "/nonexistent", ...environment },
        timeout: 8_000,
      });
      return stdout;
    }

    it("lets the RDS signer mint a token with credentials that are known to have been issued", async () => {
      const service = createSecurityTokenService();
      const { fullUri, authorizationToken } = await endpointOf(service);
      const token = await mintWith({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: fullUri,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: authorizationToken,
      });
      const parameters = new URL(`https://${token}`).searchParams;
      const issued = service.find(parameters.get("X-Amz-Credential")?.split("/")[0] ?? "");
      assert.equal(issued?.roleArn, roleArn);
      assert.equal(parameters.get("X-Amz-Security-Token"), issued?.sessionToken);
    });
  });
});
