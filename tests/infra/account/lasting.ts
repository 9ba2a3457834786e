import type { DeclaredAlias, DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";

/**
 * What holds data, or an address that others know. The engine knows each by the types of its parents, its own type and its logical
 * name: whoever changes one of these without an alias has it deleted and another one made. The lines stay as they are; a
 * rename adds an alias in `infra/`, not a line here.
 */
export const LASTING: readonly string[] = [
  "passwordless-postgres:infra:ApplicationImage$awsx:ecr:Repository::application",
  "passwordless-postgres:infra:Database$aws:cloudwatch/logGroup:LogGroup::database-postgresql",
  "passwordless-postgres:infra:Database$aws:cloudwatch/logGroup:LogGroup::database-upgrade",
  "passwordless-postgres:infra:Database$aws:kms/key:Key::database-secret",
  "passwordless-postgres:infra:Database$aws:kms/key:Key::database-storage",
  "passwordless-postgres:infra:Database$aws:rds/instance:Instance::database",
  "passwordless-postgres:infra:DatabaseProxy$aws:cloudwatch/logGroup:LogGroup::proxy",
  "passwordless-postgres:infra:DatabaseProxy$aws:rds/proxy:Proxy::proxy",
  "passwordless-postgres:infra:LoadBalancer$aws:lb/loadBalancer:LoadBalancer::load-balancer",
  "passwordless-postgres:infra:LoadBalancer$aws:s3/bucket:Bucket::load-balancer-logs",
  "passwordless-postgres:infra:Network$aws:cloudwatch/logGroup:LogGroup::network-flow",
  "passwordless-postgres:infra:Network$awsx:ec2:Vpc::network-vpc",
  "passwordless-postgres:infra:Observability$aws:kms/key:Key::observability-alarms",
  "passwordless-postgres:infra:Observability$aws:sns/topic:Topic::observability-alarms",
  "passwordless-postgres:infra:ServiceIdentity$aws:cloudwatch/logGroup:LogGroup::service",
];

/** Types that hold data, or an address: each resource of one belongs into `LASTING`. */
const LASTING_TYPE =
  /^(?:aws:(?:cloudwatch\/logGroup|dynamodb\/table|ecr\/repository|efs\/fileSystem|kms\/key|lb\/loadBalancer|rds\/(?:cluster|instance|proxy|proxyEndpoint)|route53\/record|s3\/bucket(?:V2)?|secretsmanager\/secret|sns\/topic|sqs\/queue):|awsx:(?:ec2:Vpc|ecr:Repository)$)/;

/** Those that the program no longer declares, under their name or under an alias that tells it. */
export function lost(program: Program, lasting: readonly string[] = LASTING): readonly string[] {
  const known = new Set(program.resources.flatMap((resource) => identitiesOf(program, resource)).map(text));
  return lasting.filter((identity) => !known.has(identity));
}

/** Resources that hold data or an address, and that the list does not have. */
export function unlisted(program: Program, lasting: readonly string[] = LASTING): readonly string[] {
  return program.resources
    .filter(({ type, madeBy }) => LASTING_TYPE.test(type) && madeBy === undefined)
    .filter((resource) => !identitiesOf(program, resource).some((identity) => lasting.includes(text(identity))))
    .map((resource) => text(today(resource.urn)));
}

/** What the engine knows a resource by, apart from project and stack. */
interface Identity {
  /** Types of the parents and its own, joined by `$`. */
  readonly types: string;
  readonly name: string;
}

function text({ types, name }: Identity): string {
  return `${types}::${name}`;
}

/** Today's identity and every former one that an alias tells, the parents' aliases included. */
function identitiesOf(program: Program, resource: DeclaredResource): readonly Identity[] {
  const parent = program.resources.find(({ urn }) => urn === resource.parent);
  const parents = parent === undefined ? [] : identitiesOf(program, parent);
  const inherited = parents.map((former): Identity => {
    // As the engine has it: a child that is named after its parent was named after the parent's former name.
    const prefix = parent?.name ?? "";
    const named = prefix !== "" && resource.name.startsWith(prefix);
    return {
      types: childTypes(former.types, resource.type),
      name: named ? former.name + resource.name.slice(prefix.length) : resource.name,
    };
  });
  return [today(resource.urn), ...resource.aliases.map((alias) => formerly(resource, alias)), ...inherited];
}

function formerly(resource: DeclaredResource, alias: DeclaredAlias): Identity {
  if (alias.urn !== "") return today(alias.urn);
  const parent = alias.parentUrn === "" ? resource.parent : alias.parentUrn;
  const types = childTypes(today(parent).types, alias.type === "" ? resource.type : alias.type);
  return { types, name: alias.name === "" ? resource.name : alias.name };
}

/** `urn:pulumi:<stack>::<project>::<types>::<name>`. */
function today(urn: string): Identity {
  const [, , types = "", ...name] = urn.split("::");
  return { types: withoutStack(types), name: name.join("::") };
}

function childTypes(parents: string, type: string): string {
  return parents === "" ? type : `${parents}$${type}`;
}

function withoutStack(types: string): string {
  return types.replace(/^pulumi:pulumi:Stack\$?/, "");
}
