import type pg from "pg";

type Callback = (error: Error | null, values?: readonly string[]) => void;

/** A `Submittable` that is not a `pg.Query`, with the handlers that pg-cursor has; it answers with the first column as texts. */
export interface OneColumn extends pg.Submittable {
  callback?: Callback;
}

export function oneColumn(text: string): OneColumn {
  const values: string[] = [];
  const submittable = {
    callback: undefined as Callback | undefined,
    submit: (connection: pg.Connection) => connection.query(text),
    handleRowDescription() {},
    handleDataRow({ fields }: { readonly fields: readonly (Buffer | string)[] }) {
      values.push(String(fields[0]));
    },
    handleCommandComplete() {},
    handleEmptyQuery() {},
    handlePortalSuspended() {},
    handleReadyForQuery: () => submittable.callback?.(null, values),
    handleError: (error: Error) => submittable.callback?.(error),
  };
  return submittable;
}
