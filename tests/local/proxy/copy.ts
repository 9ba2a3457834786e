import type pg from "pg";

interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Runs one COPY over a pg client, which hands such statements the bare connection. */
const submit = (client: pg.Client, start: (connection: CopyConnection) => Partial<Record<string, unknown>>) =>
  new Promise<void>((resolve, reject) => {
    const query = {
      submit(connection: unknown) {
        const copy = connection as CopyConnection;
        Object.assign(query, start(copy));
      },
      handleCommandComplete() {},
      handleError: reject,
      handleReadyForQuery: () => resolve(),
    };
    client.query(query as unknown as pg.Submittable);
  });

/** COPY … FROM STDIN with these lines. */
export const copyIn = (client: pg.Client, text: string, lines: readonly string[]): Promise<void> =>
  submit(client, (connection) => {
    connection.query(text);
    return {
      handleCopyInResponse() {
        for (const line of lines) connection.sendCopyFromChunk(Buffer.from(line));
        connection.endCopyFrom();
      },
    };
  });

/** COPY … TO STDOUT, as one text. */
export async function copyOut(client: pg.Client, text: string): Promise<string> {
  const chunks: Buffer[] = [];
  await submit(client, (connection) => {
    connection.query(text);
    return { handleCopyData: ({ chunk }: { chunk: Buffer }) => chunks.push(Buffer.from(chunk)) };
  });
  return Buffer.concat(chunks).toString();
}
