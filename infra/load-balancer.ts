import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EntranceConfiguration } from "./config/entrance.ts";
import { type Hop, openPath, securityGroup, tcp } from "./security-groups.ts";

/** TLS 1.3 and 1.2 with forward secrecy ("Security policies for your Application Load Balancer"). */
const TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06";

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
}

/** The application load balancer: internal unless client ranges are named, HTTPS when there is a certificate. */
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
    const { certificateArn, ingressCidrs } = args.entrance;
    const [scheme, port] = certificateArn === undefined ? ["http", 80] : ["https", 443];
    const group = securityGroup(
      name,
      { description: "The load balancer: clients to the service", vpcId: args.vpcId },
      { parent: this },
    );
    this.#hop = { name: "load-balancer", securityGroupId: group.id };
    this.#targetPort = args.targetPort;
    const internal = ingressCidrs.length === 0;
    this.#admitClients(group.id, internal ? [args.vpcCidr] : ingressCidrs, port);
    const balancer = new aws.lb.LoadBalancer(
      name,
      {
        loadBalancerType: "application",
        internal,
        subnets: args.subnetIds,
        securityGroups: [group.id],
        idleTimeout: args.idleTimeoutSeconds,
        dropInvalidHeaderFields: true,
      },
      { parent: this },
    );
    const targetGroup = this.#createTargetGroup(name, args);
    const listener = new aws.lb.Listener(
      name,
      {
        loadBalancerArn: balancer.arn,
        port,
        protocol: scheme.toUpperCase(),
        ...(certificateArn === undefined ? {} : { certificateArn, sslPolicy: TLS_POLICY }),
        defaultActions: [{ type: "forward", targetGroupArn: targetGroup.arn }],
      },
      { parent: this },
    );
    this.url = pulumi.interpolate`${scheme}://${balancer.dnsName}`;
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

  #admitClients(securityGroupId: pulumi.Input<string>, cidrs: readonly pulumi.Input<string>[], port: number): void {
    for (const [index, cidrIpv4] of cidrs.entries()) {
      new aws.vpc.SecurityGroupIngressRule(
        `clients-to-load-balancer-ingress-${index}`,
        { description: "load-balancer from clients", securityGroupId, cidrIpv4, ...tcp(port) },
        { parent: this },
      );
    }
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
