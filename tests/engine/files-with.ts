import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";

/** Files below a folder that hold a text, gzipped ones included. */
export async function filesWith(text: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const found = await Promise.all(
    files.map(async (file) => ((await holds(file, text)) ? [path.relative(folder, file)] : [])),
  );
  return found.flat().sort();
}

async function holds(file: string, text: string): Promise<boolean> {
  const content = await readFile(file);
  const isGzip = content[0] === 0x1f && content[1] === 0x8b;
  return (isGzip ? gunzipSync(content) : content).includes(text);
}
