import { CIDR } from "./forms.ts";
import { type ConfigReader, matching } from "./reader.ts";

/** The service's own name, in a hosted zone that is there. */
export interface DomainConfiguration {
  readonly name: string;
  readonly hostedZoneId: string;
}

/** How clients come in. */
export interface EntranceConfiguration {
  readonly certificateArn: string | undefined;
  /** Ranges that may reach an internet-facing load balancer; empty makes it internal. */
  readonly ingressCidrs: readonly string[];
  /** Web ACL that stands before the load balancer; undefined lets every request through. */
  readonly webAclArn: string | undefined;
  /** Undefined leaves the load balancer the name that AWS gives it. */
  readonly domain: DomainConfiguration | undefined;
}

/** Prefixes below this length are "the world": no single owner holds so much of it. */
const WORLD_PREFIX = 8;

const CERTIFICATE = matching(
  /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
  "the ARN of an ACM certificate",
);

const WEB_ACL = matching(
  /^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:regional\/webacl\/[\w-]{1,128}\/[0-9a-f-]+$/,
  "the ARN of a regional web ACL of AWS WAF",
);

/** Names of hosts (RFC 1123), of two labels or more, in lower case. */
const DOMAIN = matching(
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/,
  "a domain name in lower case such as projects.example.com",
);

const HOSTED_ZONE = matching(/^Z[A-Z0-9]{1,31}$/, "the id of a hosted zone such as Z0123456789ABCDEFGHIJ");

/** Reads how clients come in. */
export function readEntrance(read: ConfigReader): EntranceConfiguration {
  const certificateArn = read.text("certificateArn", CERTIFICATE, { optional: true }) || undefined;
  const ingressCidrs = read.list("ingressCidrs", CIDR);
  const world = ingressCidrs.filter((cidr) => Number(cidr.split("/")[1]) < WORLD_PREFIX);
  if (world.length > 0 && certificateArn === undefined) {
    read.refuse("ingressCidrs", world, `ranges of /${WORLD_PREFIX} or longer prefixes, unless certificateArn is set`);
  }
  const webAclArn = read.text("webAclArn", WEB_ACL, { optional: true }) || undefined;
  return { certificateArn, ingressCidrs, webAclArn, domain: readDomain(read, certificateArn) };
}

/** Reads the service's own name: both keys or neither, and with a certificate, since the name is what a client verifies. */
function readDomain(read: ConfigReader, certificateArn: string | undefined): DomainConfiguration | undefined {
  const name = read.text("domainName", DOMAIN, { optional: true });
  const hostedZoneId = read.text("hostedZoneId", HOSTED_ZONE, { optional: true });
  if (name === "" && hostedZoneId === "") return undefined;
  if (hostedZoneId === "") read.refuse("hostedZoneId", "", "the id of the hosted zone of domainName, with domainName");
  if (name === "") read.refuse("domainName", "", "a name in the hosted zone, with hostedZoneId");
  if (certificateArn === undefined) read.refuse("domainName", name, "empty without certificateArn, its certificate");
  return { name, hostedZoneId };
}
