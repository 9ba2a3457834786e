/** One statement of an IAM policy document. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: Readonly<Record<string, string>>;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** An IAM policy document, of a role, a trust or a key. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

/** Where the stack lives: the parts of every ARN. */
export interface Account {
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  /** Ending of the region's service names, such as `amazonaws.com`. */
  readonly dnsSuffix: string;
  readonly region: string;
  readonly accountId: string;
}

function document(...statements: readonly Statement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/**
 * Lets RDS assume the proxy's role. The principal is the same in every partition; RDS Proxy's documentation promises no global
 * condition key for this trust ("Setting up AWS Identity and Access Management (IAM) policies for RDS Proxy"), so there is none.
 */
export function trustRds(): PolicyDocument {
  return document({ Effect: "Allow", Principal: { Service: "rds.amazonaws.com" }, Action: "sts:AssumeRole" });
}

/** Lets ECS assume a role for tasks of this account only ("Task IAM role": the confused deputy problem). */
export function trustEcsTasks({ partition, region, accountId }: Account): PolicyDocument {
  return document({
    Effect: "Allow",
    Principal: { Service: "ecs-tasks.amazonaws.com" },
    Action: "sts:AssumeRole",
    Condition: {
      StringEquals: { "aws:SourceAccount": accountId },
      ArnLike: { "aws:SourceArn": `arn:${partition}:ecs:${region}:${accountId}:*` },
    },
  });
}

/**
 * What the proxy needs to read its one secret: the secret itself, and its key when Secrets Manager of the region asks on its
 * behalf. The decrypt is the half that is forgotten, because a secret under the default key works without it.
 */
export function readSecret(secretArn: string, keyArn: string, { region, dnsSuffix }: Account): PolicyDocument {
  return document(
    { Sid: "ReadMasterSecret", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secretArn },
    {
      Sid: "DecryptMasterSecret",
      Effect: "Allow",
      Action: "kms:Decrypt",
      Resource: keyArn,
      Condition: { StringEquals: { "kms:ViaService": `secretsmanager.${region}.${dnsSuffix}` } },
    },
  );
}

/** The `prx-…` id of a proxy: the last segment of its ARN, and the resource that `rds-db:connect` names. */
export function proxyResourceId(proxyArn: string): string {
  const id = proxyArn.split(":").at(-1);
  if (!id?.startsWith("prx-")) throw new Error(`the proxy's ARN ${proxyArn} does not end in its prx-… id`);
  return id;
}

/** Lets a client connect to one proxy as one database user ("Creating and using an IAM policy for IAM database access"). */
export function connectThroughProxy(proxyArn: string, databaseUser: string, account: Account): PolicyDocument {
  const { partition, region, accountId } = account;
  return document({
    Sid: "ConnectThroughProxy",
    Effect: "Allow",
    Action: "rds-db:connect",
    Resource: `arn:${partition}:rds-db:${region}:${accountId}:dbuser:${proxyResourceId(proxyArn)}/${databaseUser}`,
  });
}

/** What ECS needs to start a task: pull one image, write to one log group. The token call knows no resources. */
export function startTask(repositoryArn: string, logGroupArn: string): PolicyDocument {
  return document(
    { Sid: "LogInToRegistry", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
    {
      Sid: "PullImage",
      Effect: "Allow",
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Resource: repositoryArn,
    },
    {
      Sid: "WriteLogs",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: `${logGroupArn}:*`,
    },
  );
}

/**
 * Leaves the use of a key to IAM policies of the account, as "Default key policy" does. Without this statement the key could
 * become unmanageable, and the policies that grant its use would not count.
 */
export function keyOfAccount({ partition, accountId }: Account): PolicyDocument {
  return document({
    Sid: "AdministerByAccount",
    Effect: "Allow",
    Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
    Action: "kms:*",
    Resource: "*",
  });
}
