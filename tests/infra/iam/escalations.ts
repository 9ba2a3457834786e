/** Actions by which someone gets more than was given to them. */
export interface Escalation {
  readonly how: string;
  /** Title of the page that tells of it. */
  readonly source: string;
  readonly actions: readonly string[];
}

const RHINO = "Rhino Security Labs: AWS IAM Privilege Escalation – Methods and Mitigation";
const EXPOSURE = "Salesforce Cloudsplaining: Resource Exposure";

/** What no role of the program may do on anything. */
export const ESCALATIONS: readonly Escalation[] = [
  {
    how: "by writing policies",
    source: RHINO,
    actions: [
      "iam:AttachGroupPolicy",
      "iam:AttachRolePolicy",
      "iam:AttachUserPolicy",
      "iam:CreatePolicy",
      "iam:CreatePolicyVersion",
      "iam:DeleteRolePermissionsBoundary",
      "iam:DeleteRolePolicy",
      "iam:PutGroupPolicy",
      "iam:PutRolePermissionsBoundary",
      "iam:PutRolePolicy",
      "iam:PutUserPolicy",
      "iam:SetDefaultPolicyVersion",
    ],
  },
  {
    how: "by becoming someone else",
    source: RHINO,
    actions: [
      "iam:AddUserToGroup",
      "iam:CreateAccessKey",
      "iam:CreateLoginProfile",
      "iam:CreateRole",
      "iam:CreateServiceLinkedRole",
      "iam:CreateUser",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateLoginProfile",
      "sts:AssumeRole",
      "sts:AssumeRoleWithSAML",
      "sts:AssumeRoleWithWebIdentity",
      "sts:GetFederationToken",
    ],
  },
  {
    how: "by handing a role to a service, and running something with it",
    source: RHINO,
    actions: [
      "cloudformation:CreateStack",
      "cloudformation:UpdateStack",
      "codebuild:CreateProject",
      "codebuild:StartBuild",
      "datapipeline:CreatePipeline",
      "datapipeline:PutPipelineDefinition",
      "ec2:AssociateIamInstanceProfile",
      "ec2:RunInstances",
      "ecs:CreateService",
      "ecs:ExecuteCommand",
      "ecs:RegisterTaskDefinition",
      "ecs:RunTask",
      "ecs:StartTask",
      "ecs:UpdateService",
      "glue:CreateDevEndpoint",
      "glue:UpdateDevEndpoint",
      "iam:PassRole",
      "lambda:AddPermission",
      "lambda:CreateEventSourceMapping",
      "lambda:CreateFunction",
      "lambda:InvokeFunction",
      "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration",
      "sagemaker:CreateNotebookInstance",
      "sagemaker:CreatePresignedNotebookInstanceUrl",
      "ssm:SendCommand",
      "ssm:StartSession",
      "states:CreateStateMachine",
    ],
  },
  {
    how: "by opening what guards data to others",
    source: EXPOSURE,
    actions: [
      "ecr:PutRegistryPolicy",
      "ecr:SetRepositoryPolicy",
      "kms:CreateGrant",
      "kms:PutKeyPolicy",
      "logs:PutResourcePolicy",
      "logs:PutSubscriptionFilter",
      "rds:ModifyDBSnapshotAttribute",
      "s3:PutBucketPolicy",
      "secretsmanager:PutResourcePolicy",
      "sns:AddPermission",
      "sns:SetTopicAttributes",
    ],
  },
  {
    how: "by changing the credential, or who checks it",
    source: "Amazon RDS User Guide: Security best practices for Amazon RDS; AWS Secrets Manager best practices",
    actions: [
      "ecr:PutImage",
      "rds:AddRoleToDBInstance",
      "rds:CreateDBSnapshot",
      "rds:ModifyDBInstance",
      "rds:ModifyDBProxy",
      "rds:RegisterDBProxyTargets",
      "rds:RestoreDBInstanceFromDBSnapshot",
      "secretsmanager:CancelRotateSecret",
      "secretsmanager:PutSecretValue",
      "secretsmanager:RotateSecret",
      "secretsmanager:UpdateSecret",
      "secretsmanager:UpdateSecretVersionStage",
    ],
  },
];
