import { z } from "zod";

/** A lower-case UUID, whatever case the client wrote it in: PostgreSQL answers in lower case. */
export const uuid = z.guid({ error: "must be a UUID" }).toLowerCase();

/** PostgreSQL stores no NUL in text, and no control character belongs into a name. */
export const name = z
  .string({ error: "must be a text" })
  .trim()
  .min(1, { error: "must not be empty" })
  .max(200, { error: "must have at most 200 characters" })
  .regex(/^\P{Cc}*$/u, { error: "must not have control characters" });

export const page = z.strictObject({
  limit: z.coerce
    .number({ error: "must be an integer from 1 to 100" })
    .int({ error: "must be an integer from 1 to 100" })
    .min(1, { error: "must be an integer from 1 to 100" })
    .max(100, { error: "must be an integer from 1 to 100" })
    .default(20),
  cursor: z.string().max(200, { error: "must be the nextCursor of the page before" }).optional(),
});

export const rename = z.strictObject({ name });
