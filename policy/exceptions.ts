import type { Exception } from "./register.ts";

/**
 * Every gap that is accepted. One that is past its review date fails, and so does one that matches nothing any more. At most five for
 * production: whoever needs a sixth mends one first.
 */
export const EXCEPTIONS: readonly Exception[] = [
  {
    control: "connect-not-as-master-user",
    resource: "RolePolicy proxy-connect-service",
    reason:
      "The proxy logs in by one secret, the managed master secret, and a client can only name that secret's user. Another user needs a " +
      "secret of its own or end-to-end IAM authentication, which the program does not offer yet.",
    compensating:
      "Nobody knows the password, and RDS rotates it every seven days. The grant names one proxy and one user, on one role, from one security " +
      "group. RDS's master user is no superuser. Log-ins that fail are in the exported log.",
    reviewBy: "2027-05-31",
  },
  {
    control: "database-iam-authentication",
    resource: "Instance database",
    reason:
      "In secret mode the proxy logs in with the secret's password. A role that is granted rds_iam could not: IAM authentication takes " +
      "precedence over the password.",
    compensating:
      "Clients authenticate by IAM where they connect, at the proxy, which requires a token of each. The database itself is reached from the " +
      "proxy's security group alone.",
    reviewBy: "2027-05-31",
  },
  {
    control: "load-balancer-firewall",
    resource: "LoadBalancer load-balancer",
    reason:
      "Which rules a firewall should have depends on the clients, and an account usually shares one: this stack makes none. Set webAclArn to " +
      "put one before the load balancer, and remove this entry.",
    compensating:
      "The load balancer is internal until client ranges are named. It drops invalid headers, refuses ambiguous requests and logs every " +
      "request; the service validates input by schema and has a deadline for each request.",
    reviewBy: "2027-05-31",
  },
  {
    control: "load-balancer-encrypts-to-targets",
    resource: "TargetGroup load-balancer",
    reason:
      "The service speaks plain HTTP to the load balancer: a certificate in each task would be one more secret to hand out and renew.",
    compensating:
      "The way is inside the VPC, in which AWS keeps others from reading or changing packets. The service's port is open to the load balancer's " +
      "security group alone, and requests carry no credential of the database.",
    reviewBy: "2027-05-31",
  },
];
