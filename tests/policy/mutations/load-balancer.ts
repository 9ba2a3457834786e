import type { Program } from "../../../local/program.ts";
import { copy, type Mutation, set } from "./mutation.ts";

const balancer = (changes: Readonly<Record<string, unknown>>) =>
  set("aws:lb/loadBalancer:LoadBalancer", "load-balancer", changes);

/** A resource of which the program has one, by the end of its type. */
function theOne(program: Program, type: RegExp): { readonly type: string; readonly name: string } {
  const found = program.resources.filter((resource) => type.test(resource.type));
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} resources of ${type}`);
  return found[0];
}

const setTheOne = (type: RegExp, changes: Readonly<Record<string, unknown>>) => (program: Program) => {
  const found = theOne(program, type);
  return set(found.type, found.name, changes)(program);
};

/** The listener of a port. */
function listenerOn(program: Program, port: number): string {
  const found = program.resources.find(({ type, inputs }) => type.endsWith(":Listener") && inputs.port === port);
  if (found === undefined) throw new Error(`no listener on ${port}`);
  return found.name;
}

const setListener = (port: number, changes: Readonly<Record<string, unknown>>) => (program: Program) =>
  set("aws:lb/listener:Listener", listenerOn(program, port), changes)(program);

/** Slips at the load balancer and its access logs. */
export const LOAD_BALANCER_MUTATIONS: readonly Mutation[] = [
  { control: "load-balancer-https", says: "no certificate", mutate: setListener(443, { certificateArn: undefined }) },
  {
    control: "load-balancer-https",
    says: "plain HTTP",
    mutate: setListener(443, { protocol: "HTTP", certificateArn: undefined, sslPolicy: undefined }),
    also: ["load-balancer-modern-tls"],
  },
  {
    control: "load-balancer-modern-tls",
    says: "TLS of 2016",
    mutate: setListener(443, { sslPolicy: "ELBSecurityPolicy-2016-08" }),
  },
  {
    control: "load-balancer-redirects-http",
    says: "a redirect that is not for good",
    mutate: setListener(80, {
      defaultActions: [{ type: "redirect", redirect: { protocol: "HTTPS", port: "443", statusCode: "HTTP_302" } }],
    }),
  },
  {
    control: "load-balancer-drops-invalid-headers",
    says: "invalid headers passed on",
    mutate: balancer({ dropInvalidHeaderFields: false }),
  },
  {
    control: "load-balancer-desync",
    says: "ambiguous requests",
    mutate: balancer({ desyncMitigationMode: "monitor" }),
  },
  {
    control: "load-balancer-deletion-protection",
    says: "deletable",
    mutate: balancer({ enableDeletionProtection: false }),
  },
  {
    control: "load-balancer-firewall",
    says: "a second load balancer without a firewall",
    mutate: copy("aws:lb/loadBalancer:LoadBalancer", "load-balancer", "another"),
  },
  {
    control: "load-balancer-encrypts-to-targets",
    says: "a second target group in plain HTTP",
    mutate: copy("TargetGroup", "load-balancer", "another"),
  },
  {
    control: "load-balancer-access-logs",
    says: "no access logs",
    mutate: balancer({ accessLogs: { enabled: false, bucket: "none" } }),
  },
  {
    control: "buckets-private",
    says: "public policies allowed",
    mutate: setTheOne(/:BucketPublicAccessBlock$/, { blockPublicPolicy: false }),
  },
  {
    control: "buckets-encrypted",
    says: "a key that the load balancer cannot use",
    mutate: setTheOne(/:BucketServerSideEncryptionConfiguration(?:V2)?$/, {
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }],
    }),
  },
  {
    control: "buckets-require-tls",
    says: "no word on TLS",
    mutate: setTheOne(/:BucketPolicy$/, { policy: JSON.stringify({ Version: "2012-10-17", Statement: [] }) }),
  },
  {
    control: "buckets-expire",
    says: "access logs for ever",
    mutate: setTheOne(/:BucketLifecycleConfiguration(?:V2)?$/, { rules: [] }),
  },
];
