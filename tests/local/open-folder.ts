import { chmod, mkdtemp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new, empty folder for temporary files that every user may enter, as `/tmp`: a stand-in for TMPDIR. */
export async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "temporary-"));
  await chmod(folder, 0o755);
  return folder;
}
