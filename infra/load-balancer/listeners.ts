import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/**
 * TLS 1.3, and TLS 1.2 with forward secrecy and authenticated encryption only ("Security policies for your Application Load
 * Balancer").
 */
const TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06";

const HTTP = 80;
const HTTPS = 443;

export interface ListenersArgs {
  readonly loadBalancerArn: pulumi.Input<string>;
  readonly targetGroupArn: pulumi.Input<string>;
  /** Undefined serves by plain HTTP. */
  readonly certificateArn: string | undefined;
}

/** The ports that clients come to, the one that serves first. */
export function clientPorts(certificateArn: string | undefined): readonly [port: number, ...others: number[]] {
  return certificateArn === undefined ? [HTTP] : [HTTPS, HTTP];
}

/**
 * Makes the listeners: by HTTPS where there is a certificate, and then one by HTTP too that serves nothing and sends whoever comes
 * to HTTPS for good.
 *
 * @returns the one that serves
 */
export function createListeners(name: string, args: ListenersArgs, parent: pulumi.Resource): aws.lb.Listener {
  const { loadBalancerArn, targetGroupArn, certificateArn } = args;
  const defaultActions = [{ type: "forward", targetGroupArn }];
  if (certificateArn === undefined) {
    return new aws.lb.Listener(name, { loadBalancerArn, port: HTTP, protocol: "HTTP", defaultActions }, { parent });
  }
  const serving = new aws.lb.Listener(
    name,
    { loadBalancerArn, port: HTTPS, protocol: "HTTPS", certificateArn, sslPolicy: TLS_POLICY, defaultActions },
    { parent },
  );
  const redirect = { protocol: "HTTPS", port: String(HTTPS), statusCode: "HTTP_301" };
  new aws.lb.Listener(
    `${name}-redirect`,
    { loadBalancerArn, port: HTTP, protocol: "HTTP", defaultActions: [{ type: "redirect", redirect }] },
    // Where a certificate is new, the one that serves has this port until it moves.
    { parent, dependsOn: [serving] },
  );
  return serving;
}
