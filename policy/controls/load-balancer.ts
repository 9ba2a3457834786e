import { type Control, every, mustBeOneOf, mustBeTrue, unless, wrong } from "../control.ts";
import { label, type Resource, type Stack } from "../stack.ts";

const BALANCER = "aws:lb/loadBalancer:LoadBalancer";
const LISTENER = "aws:lb/listener:Listener";

/**
 * Policies of TLS 1.2 and 1.3 with forward secrecy ("Security policies for your Application Load Balancer"). Those named Res keep
 * fewer ciphers, those named PQ add post-quantum key exchange.
 */
const MODERN_POLICY = /^ELBSecurityPolicy-TLS13-1-(?:2(?:-Res)?|3)(?:-FIPS)?(?:-PQ)?-20\d\d-\d\d$/;

/** How clients come in. Where access logs go is in access-logs.ts. */
export const LOAD_BALANCER_CONTROLS: readonly Control[] = [
  {
    id: "load-balancer-https",
    title: "The load balancer serves by HTTPS, and by nothing else",
    sources: ["ELB.18", "CKV_AWS_2", "AVD-AWS-0054", "elbv2_ssl_listeners"],
    severity: "high",
    tiers: ["production"],
    staging: "plain HTTP without a certificate",
    selects: every(BALANCER),
    check: servesByHttps,
  },
  {
    id: "load-balancer-modern-tls",
    title: "The load balancer speaks TLS 1.2 and 1.3 with forward secrecy only",
    sources: ["ELB.17", "CKV_AWS_103", "AVD-AWS-0047", "elbv2_insecure_ssl_ciphers"],
    severity: "high",
    tiers: ["production"],
    staging: "only with a certificate",
    selects: (stack) => stack.ofType(LISTENER).filter(({ fields }) => fields.text("protocol") === "HTTPS"),
    check: ({ fields }) => {
      const policy = fields.text("sslPolicy");
      return unless(
        policy !== undefined && MODERN_POLICY.test(policy),
        "sslPolicy",
        policy,
        "ELBSecurityPolicy-TLS13-1-2-… or -1-3-…",
      );
    },
  },
  {
    id: "load-balancer-redirects-http",
    title: "Whoever asks by HTTP is sent to HTTPS for good",
    sources: ["ELB.1", "CKV2_AWS_20"],
    severity: "medium",
    tiers: ["production"],
    staging: "only with a certificate",
    selects: every(BALANCER),
    check: redirectsHttp,
  },
  {
    id: "load-balancer-drops-invalid-headers",
    title: "The load balancer drops headers that are not valid",
    sources: ["ELB.4", "CKV_AWS_131", "AVD-AWS-0052"],
    severity: "medium",
    selects: every(BALANCER),
    check: mustBeTrue("dropInvalidHeaderFields"),
  },
  {
    id: "load-balancer-desync",
    title: "The load balancer does not pass on requests that parsers could read in two ways",
    sources: ["ELB.12", "CKV_AWS_328", "elbv2_desync_mitigation_mode"],
    severity: "medium",
    selects: every(BALANCER),
    check: mustBeOneOf("desyncMitigationMode", ["defensive", "strictest"]),
  },
  {
    id: "load-balancer-deletion-protection",
    title: "AWS refuses to delete the load balancer",
    sources: ["ELB.6", "CKV_AWS_150", "elbv2_deletion_protection"],
    severity: "medium",
    tiers: ["production"],
    staging: "may be deleted",
    selects: every(BALANCER),
    check: mustBeTrue("enableDeletionProtection"),
  },
  {
    id: "load-balancer-firewall",
    title: "A web application firewall stands before the load balancer",
    sources: ["ELB.16", "CKV2_AWS_28", "elbv2_waf_acl_attached"],
    severity: "medium",
    tiers: ["production"],
    staging: "no firewall",
    selects: every(BALANCER),
    check: ({ fields }, stack) => {
      const associated = stack
        .ofType("aws:wafv2/webAclAssociation:WebAclAssociation")
        .some((association) => association.fields.text("resourceArn") === fields.text("arn"));
      return unless(associated, "its web ACL", undefined, "an association with one");
    },
  },
  {
    id: "load-balancer-encrypts-to-targets",
    title: "The load balancer speaks TLS to its targets",
    sources: ["CKV_AWS_378"],
    severity: "low",
    selects: every("aws:lb/targetGroup:TargetGroup"),
    check: mustBeOneOf("protocol", ["HTTPS"]),
  },
];

function listenersOf(stack: Stack, balancer: Resource): readonly Resource[] {
  const arn = balancer.fields.text("arn");
  return stack.ofType(LISTENER).filter(({ fields }) => fields.text("loadBalancerArn") === arn);
}

function isRedirect({ fields }: Resource): boolean {
  const actions = fields.list("defaultActions");
  return actions.length > 0 && actions.every((action) => action.text("type") === "redirect");
}

function servesByHttps(balancer: Resource, stack: Stack): readonly string[] {
  const serving = listenersOf(stack, balancer).filter((listener) => !isRedirect(listener));
  return [
    ...unless(serving.length > 0, "listeners that serve", 0, "one by HTTPS"),
    ...serving.flatMap((listener) => {
      const { fields } = listener;
      const protocol = fields.text("protocol");
      return [
        ...unless(protocol === "HTTPS", `protocol of ${label(listener)}`, protocol, "HTTPS"),
        ...unless(fields.has("certificateArn"), `certificateArn of ${label(listener)}`, undefined, "a certificate"),
      ];
    }),
  ];
}

function redirectsHttp(balancer: Resource, stack: Stack): readonly string[] {
  const listeners = listenersOf(stack, balancer).filter(({ fields }) => fields.number("port") === 80);
  if (listeners.length === 0) return ["no listener on port 80 redirects; allowed: one that redirects to HTTPS"];
  return listeners.flatMap((listener) => {
    const actions = listener.fields.list("defaultActions");
    return actions.flatMap((action) => {
      const redirect = action.object("redirect");
      const [protocol, code] = [redirect.text("protocol"), redirect.text("statusCode")];
      if (action.text("type") !== "redirect") return [wrong(`${label(listener)}`, action.text("type"), "redirect")];
      return [
        ...unless(protocol === "HTTPS", `redirect.protocol of ${label(listener)}`, protocol, "HTTPS"),
        ...unless(code === "HTTP_301", `redirect.statusCode of ${label(listener)}`, code, "HTTP_301"),
      ];
    });
  });
}
