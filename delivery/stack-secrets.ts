import { parseDocument } from "yaml";
import { z } from "zod";
import { DeliveryError } from "./run.ts";

/** How the secrets of a stack are encrypted, in the words of a stack file. */
export interface StackSecrets {
  /** Key in the cloud, such as `awskms://alias/…?region=…`. */
  readonly secretsprovider: string;
  /** The key of the state's secrets, encrypted by that key; base64. */
  readonly encryptedkey: string;
}

const EXPORTED = z.object({
  deployment: z.object({
    secrets_providers: z.object({
      type: z.string(),
      state: z.object({ url: z.string(), encryptedkey: z.string() }).partial().optional(),
    }),
  }),
});

/**
 * How a stack's secrets are encrypted, as its exported state has it.
 *
 * @param exported what `pulumi stack export` prints
 * @throws DeliveryError when the state is not one whose secrets a cloud's key encrypts
 */
export function secretsOfState(stack: string, exported: string): StackSecrets {
  const parsed = EXPORTED.safeParse(parseJson(exported));
  const provider = parsed.data?.deployment.secrets_providers;
  const { url, encryptedkey } = provider?.state ?? {};
  if (provider?.type === "cloud" && url && encryptedkey) return { secretsprovider: url, encryptedkey };
  throw new DeliveryError(
    `the secrets of stack ${stack} are encrypted by ${provider?.type ?? "nothing that its state tells"}; allowed: a key in the cloud. ` +
      `Change it with pulumi stack change-secrets-provider --stack ${stack} awskms://…`,
  );
}

/**
 * The text of a stack file that says how the secrets are encrypted; what it says already is left alone, comments too.
 *
 * @param file the text that there is; empty where there is no file
 */
export function withSecrets(file: string, secrets: StackSecrets): string {
  const document = parseDocument(file);
  if (document.get("secretsprovider") !== undefined) return file;
  document.set("secretsprovider", secrets.secretsprovider);
  document.set("encryptedkey", secrets.encryptedkey);
  return document.toString({ lineWidth: 0 });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
