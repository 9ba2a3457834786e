import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account, PolicyDocument } from "../infra/iam.ts";
import type { Repository } from "./config.ts";
import { DEPLOY_PARTS, deployAccess, previewAccess } from "./iam/access.ts";
import { deployBoundary, workloadBoundary } from "./iam/boundaries.ts";
import type { Surroundings } from "./iam/services.ts";
import { branchRef, PULL_REQUEST_REF, type TrustedJob, trustJob } from "./iam/trust.ts";
import { type StackName, type StackNames, stackNames } from "./names.ts";
import type { StateBucket } from "./state-bucket.ts";

/** Longest session of a job, in seconds: an update may wait half an hour for steady state, and an hour for a proxy to go. */
const SESSION_SECONDS = { preview: 3_600, deploy: 7_200 } as const;

export interface StackAccessArgs {
  readonly stack: StackName;
  readonly repository: Repository;
  readonly githubProviderArn: pulumi.Output<string>;
  readonly state: StateBucket;
  /** Key of the stack's secrets. */
  readonly secretsKeyArn: pulumi.Output<string>;
  /** Hosted zones in which the stack may name its load balancer. */
  readonly hostedZoneIds: readonly string[];
  /** Keys that a deployment must not administer. */
  readonly ownKeyArns: pulumi.Output<string[]>;
  readonly account: pulumi.Output<Account>;
}

/**
 * Who may do what with one stack: a role that previews it and one that deploys it, each for jobs of the repository in an environment
 * of their own, and the boundaries of the role that deploys and of every role that the stack makes.
 */
export class StackAccess extends pulumi.ComponentResource {
  readonly previewRoleArn: pulumi.Output<string>;
  readonly deployRoleArn: pulumi.Output<string>;
  /** What the program is given as `permissionsBoundaryArn`. */
  readonly workloadBoundaryArn: pulumi.Output<string>;
  readonly #args: StackAccessArgs;
  readonly #names: StackNames;
  readonly #name: string;

  constructor(name: string, args: StackAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:bootstrap:StackAccess", name, {}, opts);
    this.#args = args;
    this.#names = stackNames(args.stack);
    this.#name = name;
    this.previewRoleArn = this.#createPreviewRole();
    const workload = this.#createPolicy("workload-boundary", this.#names.workloadBoundary, workloadBoundary);
    this.workloadBoundaryArn = workload.arn;
    this.deployRoleArn = this.#createDeployRole(workload);
    this.registerOutputs({
      previewRoleArn: this.previewRoleArn,
      deployRoleArn: this.deployRoleArn,
      workloadBoundaryArn: this.workloadBoundaryArn,
    });
  }

  /** Pull requests of the repository, and the deployed branch, from where drift is looked for every night. */
  #createPreviewRole(): pulumi.Output<string> {
    const { stack, repository } = this.#args;
    const role = this.#createRole("preview", this.#names.previewRole, {
      environment: this.#names.previewEnvironment,
      refs: [PULL_REQUEST_REF, branchRef(repository.deployBranch)],
    });
    const policy = this.#document((account, around) => previewAccess(stack, around, account));
    new aws.iam.RolePolicy(`${this.#name}-preview`, { role: role.name, policy }, { parent: this });
    return role.arn;
  }

  /** The deployed branch alone. It waits for the boundary that it must put on every role. */
  #createDeployRole(workload: pulumi.Resource): pulumi.Output<string> {
    const { stack, repository } = this.#args;
    const boundary = this.#createPolicy("deploy-boundary", this.#names.deployBoundary, (account, { state }, keyArns) =>
      deployBoundary(stack, { bucketArn: state.bucketArn, keyArns }, account),
    );
    const job = { environment: this.#names.deployEnvironment, refs: [branchRef(repository.deployBranch)] };
    const role = this.#createRole("deploy", this.#names.deployRole, job, boundary, [workload]);
    for (const part of DEPLOY_PARTS) {
      const policy = this.#createPolicy(`deploy-${part}`, `${this.#names.deployRole}-${part}`, (account, around) =>
        deployAccess(part, stack, around, account),
      );
      new aws.iam.RolePolicyAttachment(
        `${this.#name}-deploy-${part}`,
        { role: role.name, policyArn: policy.arn },
        { parent: this },
      );
    }
    return role.arn;
  }

  #createRole(
    kind: "preview" | "deploy",
    roleName: string,
    job: TrustedJob,
    boundary?: aws.iam.Policy,
    dependsOn: pulumi.Resource[] = [],
  ): aws.iam.Role {
    const { githubProviderArn, repository } = this.#args;
    const trust = githubProviderArn.apply((arn) => JSON.stringify(trustJob(arn, repository, job)));
    return new aws.iam.Role(
      `${this.#name}-${kind}`,
      {
        name: roleName,
        path: this.#names.bootstrapPath,
        description: `GitHub: ${kind}s the stack ${this.#args.stack.stack} of ${this.#args.stack.project}`,
        assumeRolePolicy: trust,
        maxSessionDuration: SESSION_SECONDS[kind],
        ...(boundary === undefined ? {} : { permissionsBoundary: boundary.arn }),
      },
      { parent: this, dependsOn },
    );
  }

  #createPolicy(
    kind: string,
    policyName: string,
    says: (account: Account, around: Surroundings, keyArns: readonly string[]) => PolicyDocument,
  ): aws.iam.Policy {
    return new aws.iam.Policy(
      `${this.#name}-${kind}`,
      { name: policyName, path: this.#names.bootstrapPath, policy: this.#document(says) },
      { parent: this },
    );
  }

  #document(
    says: (account: Account, around: Surroundings, keyArns: readonly string[]) => PolicyDocument,
  ): pulumi.Output<string> {
    const { state, secretsKeyArn, hostedZoneIds, ownKeyArns, account } = this.#args;
    return pulumi
      .all([account, state.arn, state.keyArn, secretsKeyArn, ownKeyArns])
      .apply(([where, bucketArn, stateKeyArn, keyArn, keys]) =>
        JSON.stringify(says(where, { state: { bucketArn, stateKeyArn, secretsKeyArn: keyArn }, hostedZoneIds }, keys)),
      );
  }
}
