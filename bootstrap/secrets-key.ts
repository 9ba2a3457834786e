import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Account, keyOfAccount } from "../infra/iam.ts";
import { type StackName, stackNames } from "./names.ts";
import { KEY_DELETION_DAYS } from "./state-bucket.ts";

export interface SecretsKeyArgs {
  readonly stack: StackName;
  readonly account: pulumi.Output<Account>;
}

/**
 * The key by which Pulumi encrypts one stack's secrets. Each stack has its own: stack files are committed with their encrypted
 * values, so whoever could use another stack's key could read its secrets out of the repository.
 */
export class SecretsKey extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  /** What `pulumi stack init --secrets-provider` takes. */
  readonly secretsProvider: pulumi.Output<string>;

  constructor(name: string, args: SecretsKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:bootstrap:SecretsKey", name, {}, opts);
    const { project, stack } = args.stack;
    const kept: pulumi.CustomResourceOptions = { parent: this, protect: true, retainOnDelete: true };
    const key = new aws.kms.Key(
      name,
      {
        description: `Secrets of the stack ${stack} of ${project}`,
        enableKeyRotation: true,
        deletionWindowInDays: KEY_DELETION_DAYS,
        policy: pulumi.jsonStringify(args.account.apply(keyOfAccount)),
      },
      kept,
    );
    new aws.kms.Alias(name, { name: stackNames(args.stack).secretsAlias, targetKeyId: key.keyId }, kept);
    this.arn = key.arn;
    // By ARN and not by alias: an alias can be moved to another key, which could not decrypt what there is.
    this.secretsProvider = pulumi
      .all([key.arn, args.account])
      .apply(([arn, { region }]) => `awskms:///${arn}?region=${region}`);
    this.registerOutputs({ arn: this.arn, secretsProvider: this.secretsProvider });
  }
}
