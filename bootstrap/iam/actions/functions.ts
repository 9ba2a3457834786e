/** What AWS is asked by each function of a provider that the program calls. Where AWS answers everyone, nothing has to be allowed. */
export const FUNCTION_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  "aws:ec2/getPrefixList:getPrefixList": ["ec2:DescribePrefixLists"],
  "aws:ec2/getRouteTable:getRouteTable": ["ec2:DescribeRouteTables"],
  "aws:ec2/getVpc:getVpc": ["ec2:DescribeRouteTables", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcs"],
  "aws:ec2/getVpcEndpointService:getVpcEndpointService": ["ec2:DescribeVpcEndpointServices"],
  // Every identity may ask who it is.
  "aws:index/getCallerIdentity:getCallerIdentity": [],
  // The provider knows partitions and regions by itself.
  "aws:index/getPartition:getPartition": [],
  "aws:index/getRegion:getRegion": [],
  "aws:kms/getKey:getKey": ["kms:DescribeKey"],
  "aws:rds/getSubnetGroup:getSubnetGroup": ["rds:DescribeDBSubnetGroups"],
};

/** The same for what the providers of awsx call, which no source here names: the zones of a VPC, the login to a registry. */
export const AWSX_FUNCTION_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  "aws:ecr/getAuthorizationToken:getAuthorizationToken": ["ecr:GetAuthorizationToken"],
  "aws:index/getAvailabilityZones:getAvailabilityZones": ["ec2:DescribeAvailabilityZones"],
};
