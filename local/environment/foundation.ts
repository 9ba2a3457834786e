import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type CertificateAuthority, createAuthority } from "../certificates.ts";
import type { Declared } from "../declared.ts";
import { type Postgres, startPostgres } from "../postgres.ts";
import { type Reaper, startReaper } from "../reaper.ts";
import { createManagedSecret, type ManagedSecret } from "../secret.ts";
import { unprivilegedUser, workspacePath } from "../unprivileged.ts";
import type { Teardown } from "./teardown.ts";

/** What the service's surroundings stand on: the database with its rotating secret, and a place for files. */
export interface Foundation {
  readonly reaper: Reaper;
  /** Folder that every user may enter; it goes when the environment goes. */
  readonly workspace: string;
  readonly authority: CertificateAuthority;
  /** PEM file of the local certificate authority. */
  readonly caFile: string;
  readonly postgres: Postgres;
  readonly secret: ManagedSecret;
}

/**
 * Starts PostgreSQL as declared, with the managed master secret that holds its password.
 *
 * @param teardown gets a step for each thing that is started
 * @throws PostgresError and the like; what was started until then is in `teardown`
 */
export async function layFoundation(
  declared: Declared,
  teardown: Teardown,
  log: (message: string) => void,
): Promise<Foundation> {
  const { database } = declared;
  const reaper = startReaper({ log });
  teardown.add("the reaper", () => reaper.close());
  const workspace = await makeWorkspace(reaper, teardown);
  const authority = await createAuthority();
  const caFile = path.join(workspace, "ca.pem");
  await writeFile(caFile, authority.caPem, { mode: 0o644 });
  const secret = createManagedSecret({ arn: database.secretArn, username: database.user });
  teardown.add("the secret", async () => secret.close());
  const login = secret.currentLogin();
  const postgres = await startPostgres({
    majorVersion: database.majorVersion,
    maxConnections: database.maxConnections,
    forceSsl: database.forceSsl,
    master: { user: login.username, password: login.password },
    database: database.name,
    tls: await authority.issue([database.address]),
    reaper,
    log,
  });
  teardown.add("PostgreSQL", () => postgres.stop());
  secret.activate((user, password) => postgres.setPassword(user, password));
  return { reaper, workspace, authority, caFile, postgres, secret };
}

async function makeWorkspace(reaper: Reaper, teardown: Teardown): Promise<string> {
  const workspace = await workspacePath(await unprivilegedUser());
  reaper.watchDirectory(workspace);
  await mkdir(workspace, { mode: 0o711 });
  // The process's umask may have taken bits that other users need to pass.
  await chmod(workspace, 0o711);
  teardown.add("the workspace", async () => {
    await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
    reaper.forgetDirectory(workspace);
  });
  return workspace;
}
