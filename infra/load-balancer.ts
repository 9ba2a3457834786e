import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DomainConfiguration, EntranceConfiguration } from "./config/entrance.ts";
import type { Account } from "./iam.ts";
import { createAccessLogs } from "./load-balancer/access-logs.ts";
import { clientPorts, createListeners } from "./load-balancer/listeners.ts";
import { type Hop, openPath, securityGroup, tcp } from "./security-groups.ts";

export interface LoadBalancerArgs {
  readonly entrance: EntranceConfiguration;
  readonly vpcId: pulumi.Input<string>;
  /** IPv4 range of the VPC: who may reach an internal load balancer. */
  readonly vpcCidr: pulumi.Input<string>;
  /** Public subnets in two zones or more. */
  readonly subnetIds: pulumi.Input<string[]>;
  /** Port that the service listens on. */
  readonly targetPort: number;
  /** Path of the service's liveness, which never touches the database. */
  readonly healthCheckPath: string;
  readonly idleTimeoutSeconds: number;
  /** How long a task that leaves keeps the requests that it has; as long as it takes to drain. */
  readonly deregistrationDelaySeconds: number;
  /** Days that access logs are kept. */
  readonly logRetentionDays: number;
  /** Whether AWS refuses to delete the load balancer, and its access logs stay when the stack goes. */
  readonly protected: boolean;
  readonly account: pulumi.Output<Account>;
}

/**
 * The application load balancer: internal unless client ranges are named, HTTPS when there is a certificate, under the service's
 * own name when there is a hosted zone. Whoever comes to it is logged.
 */
export class LoadBalancer extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string>;
  readonly targetGroupArn: pulumi.Output<string>;
  /** `app/…/…`: what CloudWatch knows it by. */
  readonly arnSuffix: pulumi.Output<string>;
  /** What must exist before a service may register its tasks. */
  readonly ready: readonly pulumi.Resource[];
  readonly #hop: Hop;
  readonly #targetPort: number;

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:LoadBalancer", name, {}, opts);
    const { certificateArn, ingressCidrs, webAclArn, domain } = args.entrance;
    const group = securityGroup(
      name,
      { description: "The load balancer: clients to the service", vpcId: args.vpcId },
      { parent: this },
    );
    this.#hop = { name: "load-balancer", securityGroupId: group.id };
    this.#targetPort = args.targetPort;
    const internal = ingressCidrs.length === 0;
    this.#admitClients(group.id, internal ? [args.vpcCidr] : ingressCidrs, clientPorts(certificateArn));
    const balancer = this.#createBalancer(name, args, internal, group.id);
    const targetGroup = this.#createTargetGroup(name, args);
    const listener = createListeners(
      name,
      { loadBalancerArn: balancer.arn, targetGroupArn: targetGroup.arn, certificateArn },
      this,
    );
    if (webAclArn !== undefined) {
      new aws.wafv2.WebAclAssociation(name, { resourceArn: balancer.arn, webAclArn }, { parent: this });
    }
    if (domain !== undefined) this.#nameIt(name, domain, balancer);
    const scheme = certificateArn === undefined ? "http" : "https";
    this.url = pulumi.interpolate`${scheme}://${domain?.name ?? balancer.dnsName}`;
    this.targetGroupArn = targetGroup.arn;
    this.arnSuffix = balancer.arnSuffix;
    this.ready = [listener];
    this.registerOutputs({ url: this.url });
  }

  /**
   * Opens the way from the load balancer to the service's port.
   *
   * @returns the rules, for whatever must not start before packets pass
   */
  openTo(service: Hop): readonly pulumi.Resource[] {
    return openPath(this.#hop, service, this.#targetPort, { parent: this });
  }

  /** Lets clients in on the port that serves, and on the other one to be sent there. */
  #admitClients(
    securityGroupId: pulumi.Input<string>,
    cidrs: readonly pulumi.Input<string>[],
    [port, ...redirecting]: readonly [number, ...number[]],
  ): void {
    for (const [index, cidrIpv4] of cidrs.entries()) {
      new aws.vpc.SecurityGroupIngressRule(
        `clients-to-load-balancer-ingress-${index}`,
        { description: "load-balancer from clients", securityGroupId, cidrIpv4, ...tcp(port) },
        { parent: this },
      );
      for (const other of redirecting) {
        new aws.vpc.SecurityGroupIngressRule(
          `clients-to-load-balancer-redirect-ingress-${index}`,
          { description: "load-balancer from clients, to be redirected", securityGroupId, cidrIpv4, ...tcp(other) },
          { parent: this },
        );
      }
    }
  }

  #createBalancer(
    name: string,
    args: LoadBalancerArgs,
    internal: boolean,
    securityGroupId: pulumi.Input<string>,
  ): aws.lb.LoadBalancer {
    const logs = createAccessLogs(`${name}-logs`, args, this);
    return new aws.lb.LoadBalancer(
      name,
      {
        loadBalancerType: "application",
        internal,
        subnets: args.subnetIds,
        securityGroups: [securityGroupId],
        idleTimeout: args.idleTimeoutSeconds,
        dropInvalidHeaderFields: true,
        desyncMitigationMode: "defensive",
        enableDeletionProtection: args.protected,
        accessLogs: { bucket: logs.bucket, enabled: true },
      },
      { parent: this, dependsOn: [...logs.ready] },
    );
  }

  /** Lets the service's own name lead to the load balancer, in a hosted zone that is there. */
  #nameIt(name: string, { name: domainName, hostedZoneId }: DomainConfiguration, balancer: aws.lb.LoadBalancer): void {
    new aws.route53.Record(
      name,
      {
        zoneId: hostedZoneId,
        name: domainName,
        type: "A",
        aliases: [{ name: balancer.dnsName, zoneId: balancer.zoneId, evaluateTargetHealth: true }],
      },
      { parent: this },
    );
  }

  #createTargetGroup(name: string, args: LoadBalancerArgs): aws.lb.TargetGroup {
    return new aws.lb.TargetGroup(
      name,
      {
        vpcId: args.vpcId,
        targetType: "ip",
        protocol: "HTTP",
        port: args.targetPort,
        deregistrationDelay: args.deregistrationDelaySeconds,
        healthCheck: {
          protocol: "HTTP",
          path: args.healthCheckPath,
          matcher: "200",
          interval: 10,
          timeout: 5,
          healthyThreshold: 2,
          unhealthyThreshold: 3,
        },
      },
      { parent: this },
    );
  }
}
