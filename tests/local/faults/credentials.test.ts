import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, it } from "mocha";
import {
  type CredentialsEndpoint,
  createSecurityTokenService,
  type SecurityTokenService,
  startCredentialsEndpoint,
} from "../../../local/credentials.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly credentials: Readonly<Record<"AccessKeyId" | "Expiration", string>>;
}

describe("A fault of the credentials endpoint", () => {
  let service: SecurityTokenService;
  let endpoint: CredentialsEndpoint;
  beforeEach(async () => {
    service = createSecurityTokenService();
    endpoint = await startCredentialsEndpoint({
      securityTokenService: service,
      roleArn: "arn:aws:iam::111122223333:role/task",
    });
  });
  afterEach(() => endpoint.close());

  async function ask(): Promise<Answer> {
    const response = await fetch(endpoint.fullUri, {
      headers: { authorization: endpoint.authorizationToken },
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    return { status: response.status, text, credentials: response.ok ? JSON.parse(text) : {} };
  }

  it("expires what it has issued, hands that out with an expiration in the past, and issues anew at the end", async () => {
    const before = (await ask()).credentials;
    const undo = endpoint.faultPoints.expireCredentials();
    assert.equal(service.find(before.AccessKeyId), undefined);
    for (let round = 0; round < 2; round += 1) {
      const { status, credentials } = await ask();
      assert.equal(status, 200);
      assert.equal(credentials.AccessKeyId, before.AccessKeyId);
      assert.match(credentials.Expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const agoMs = Date.now() - Date.parse(credentials.Expiration);
      assert.ok(agoMs >= 1_000 && agoMs < 10_000, `${agoMs} ms`);
    }
    await undo();
    const after = (await ask()).credentials;
    assert.notEqual(after.AccessKeyId, before.AccessKeyId);
    assert.notEqual(service.find(after.AccessKeyId), undefined);
    assert.ok(Date.parse(after.Expiration) > Date.now() + 3_600_000);
    await undo();
    assert.equal((await ask()).credentials.AccessKeyId, after.AccessKeyId);
  });

  it("lets what a client has kept live on once the fault is over, until the expiration that it was told", async () => {
    const kept = (await ask()).credentials;
    await endpoint.faultPoints.expireCredentials()();
    assert.equal(service.find(kept.AccessKeyId)?.expiration.toISOString().replace(".000Z", "Z"), kept.Expiration);
  });

  it("delays answers by its milliseconds, and answers whoever waits as soon as it ends", async () => {
    const short = endpoint.faultPoints.delayAnswers(60);
    const asked = performance.now();
    assert.equal((await ask()).status, 200);
    assert.ok(performance.now() - asked >= 59);
    await short();
    const long = endpoint.faultPoints.delayAnswers(600_000);
    let answered = false;
    const waiting = ask().finally(() => {
      answered = true;
    });
    await thereAndBack();
    assert.equal(answered, false);
    await long();
    assert.equal((await waiting).status, 200);
    assert.equal((await ask()).status, 200);
  });

  it("closes at once while somebody waits for a delayed answer", async () => {
    endpoint.faultPoints.delayAnswers(600_000);
    const waiting = ask().then(
      () => "answered",
      () => "cut off",
    );
    await thereAndBack();
    await endpoint.close();
    assert.match(await waiting, /^(answered|cut off)$/);
  });

  it("refuses with 429 and no credential while it is throttled", async () => {
    const undo = endpoint.faultPoints.throttleAnswers();
    assert.deepEqual(await ask(), { status: 429, text: "You have reached maximum request limit.", credentials: {} });
    await undo();
    assert.equal((await ask()).status, 200);
  });
});

/** A request to another server and its answer, in which an answer that is not delayed would have arrived. */
async function thereAndBack(): Promise<void> {
  const server = createServer((_request, response) => response.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  for (let round = 0; round < 5; round += 1) await (await fetch(`http://127.0.0.1:${address.port}`)).text();
  server.closeAllConnections();
  server.close();
}
