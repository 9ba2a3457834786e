import { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** One line that a container wrote. */
export interface ContainerLine {
  /** Name of the container. */
  readonly container: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** The line parsed, when it is a JSON object, as each line of the application's log is. */
  readonly record?: Readonly<Record<string, unknown>>;
}

/** A longer line is cut here: what a container writes never costs more memory than this. */
const longestLine = 64 * 1024;

/** Lines kept for error messages. */
const keptLines = 20;

/** What a container writes, as events, with the last lines kept. */
export class ContainerLog extends EventEmitter<{ line: [ContainerLine] }> {
  readonly #container: string;
  readonly #last: string[] = [];

  constructor(container: string) {
    super();
    this.#container = container;
  }

  /** The last lines written, oldest first, indented for an error message. */
  tail(): string {
    return this.#last.length === 0 ? "It wrote nothing." : `It wrote:\n  ${this.#last.join("\n  ")}`;
  }

  /** Reads a stream of the container until it ends. */
  read(stream: "stdout" | "stderr", source: Readable): void {
    const decoder = new StringDecoder("utf8");
    let rest = "";
    source.on("data", (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > longestLine) rest = rest.slice(0, longestLine);
      for (const text of lines) this.#write(stream, text);
    });
    source.on("end", () => this.#write(stream, rest + decoder.end()));
    // The pipe of a process that was killed may break instead of ending; there is nothing more to read either way.
    source.on("error", () => this.#write(stream, rest));
  }

  #write(stream: "stdout" | "stderr", line: string): void {
    const text = line.slice(0, longestLine).trimEnd();
    if (text === "") return;
    this.#last.push(text);
    if (this.#last.length > keptLines) this.#last.shift();
    const record = stream === "stdout" ? parsed(text) : undefined;
    this.emit("line", { container: this.#container, stream, text, ...(record && { record }) });
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
