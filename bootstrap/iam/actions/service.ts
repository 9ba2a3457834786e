import type { ActionsByType } from "./actions.ts";

const BALANCER_TAGS = ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"] as const;
const READ_BALANCER_TAGS = "elasticloadbalancing:DescribeTags";
const CLUSTER_TAGS = ["ecs:TagResource", "ecs:UntagResource"] as const;
const SCALING_TAGS = ["application-autoscaling:TagResource", "application-autoscaling:UntagResource"] as const;

/** The service: load balancer with its name and firewall, cluster, tasks, scaling, and the repository with its image. */
export const SERVICE_ACTIONS: ActionsByType = {
  "aws:appautoscaling/policy:Policy": {
    read: ["application-autoscaling:DescribeScalingPolicies"],
    write: ["application-autoscaling:DeleteScalingPolicy", "application-autoscaling:PutScalingPolicy"],
  },
  "aws:appautoscaling/target:Target": {
    read: ["application-autoscaling:DescribeScalableTargets", "application-autoscaling:ListTagsForResource"],
    write: [
      "application-autoscaling:DeregisterScalableTarget",
      "application-autoscaling:RegisterScalableTarget",
      ...SCALING_TAGS,
    ],
  },
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": {
    read: ["ecr:GetLifecyclePolicy"],
    write: ["ecr:DeleteLifecyclePolicy", "ecr:PutLifecyclePolicy"],
  },
  "aws:ecr/repository:Repository": {
    read: ["ecr:DescribeRepositories", "ecr:ListTagsForResource"],
    write: [
      "ecr:CreateRepository",
      "ecr:DeleteRepository",
      "ecr:PutImageScanningConfiguration",
      "ecr:PutImageTagMutability",
      "ecr:TagResource",
      "ecr:UntagResource",
    ],
  },
  "aws:ecs/cluster:Cluster": {
    read: ["ecs:DescribeClusters"],
    write: ["ecs:CreateCluster", "ecs:DeleteCluster", "ecs:UpdateCluster", ...CLUSTER_TAGS],
  },
  "aws:ecs/service:Service": {
    // Steady state is waited for by the service's deployments.
    read: ["ecs:DescribeServiceDeployments", "ecs:DescribeServices", "ecs:ListServiceDeployments"],
    write: ["ecs:CreateService", "ecs:DeleteService", "ecs:UpdateService", ...CLUSTER_TAGS],
  },
  "aws:ecs/taskDefinition:TaskDefinition": {
    read: ["ecs:DescribeTaskDefinition"],
    write: ["ecs:DeregisterTaskDefinition", "ecs:RegisterTaskDefinition", ...CLUSTER_TAGS],
  },
  "aws:lb/listener:Listener": {
    read: [
      "elasticloadbalancing:DescribeListenerAttributes",
      "elasticloadbalancing:DescribeListeners",
      READ_BALANCER_TAGS,
    ],
    write: [
      "elasticloadbalancing:CreateListener",
      "elasticloadbalancing:DeleteListener",
      "elasticloadbalancing:ModifyListener",
      "elasticloadbalancing:ModifyListenerAttributes",
      ...BALANCER_TAGS,
    ],
  },
  "aws:lb/loadBalancer:LoadBalancer": {
    read: [
      "elasticloadbalancing:DescribeCapacityReservation",
      "elasticloadbalancing:DescribeLoadBalancerAttributes",
      "elasticloadbalancing:DescribeLoadBalancers",
      READ_BALANCER_TAGS,
    ],
    write: [
      "elasticloadbalancing:CreateLoadBalancer",
      "elasticloadbalancing:DeleteLoadBalancer",
      "elasticloadbalancing:ModifyLoadBalancerAttributes",
      "elasticloadbalancing:SetSecurityGroups",
      "elasticloadbalancing:SetSubnets",
      ...BALANCER_TAGS,
    ],
  },
  "aws:lb/targetGroup:TargetGroup": {
    read: [
      "elasticloadbalancing:DescribeTargetGroupAttributes",
      "elasticloadbalancing:DescribeTargetGroups",
      READ_BALANCER_TAGS,
    ],
    write: [
      "elasticloadbalancing:CreateTargetGroup",
      "elasticloadbalancing:DeleteTargetGroup",
      "elasticloadbalancing:ModifyTargetGroup",
      "elasticloadbalancing:ModifyTargetGroupAttributes",
      ...BALANCER_TAGS,
    ],
  },
  "aws:route53/record:Record": {
    read: ["route53:GetHostedZone", "route53:ListResourceRecordSets"],
    // A change is waited for until every name server has it.
    write: ["route53:ChangeResourceRecordSets", "route53:GetChange"],
  },
  "aws:wafv2/webAclAssociation:WebAclAssociation": {
    read: ["wafv2:GetWebACL", "wafv2:GetWebACLForResource"],
    write: ["elasticloadbalancing:SetWebACL", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"],
  },
  "docker-build:index:Image": {
    // With a digest that exists, as previews are given, nothing is built; the login is asked for all the same.
    read: ["ecr:GetAuthorizationToken"],
    write: [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ],
  },
};
