import type { Declared } from "./declared.ts";
import type { Firewall } from "./firewall.ts";
import type { DeclaredIam } from "./iam.ts";
import type { Place } from "./place.ts";
import type { Authority, DatabaseLogin, IssuedCredentials } from "./proxy/authority.ts";

export interface AuthoritySources {
  readonly declared: Declared;
  readonly place: Place;
  readonly iam: DeclaredIam;
  readonly firewall: Firewall;
  /** Live credentials by access key id. */
  readonly findCredentials: (accessKeyId: string) => IssuedCredentials | undefined;
  /** The AWSCURRENT version of the master secret. */
  readonly currentLogin: () => DatabaseLogin;
}

/** Answers the proxy's questions as AWS would, by what the program declares. */
export function createAuthority(sources: AuthoritySources): Authority {
  const { declared, place, iam, firewall } = sources;
  const { proxy, database, service } = declared;
  return {
    issuedCredentials: sources.findCredentials,
    mayConnect: (roleArn, databaseUser) =>
      iam.allows({
        principal: roleArn,
        action: "rds-db:connect",
        resource: databaseUserArn(declared, place, databaseUser),
      }),
    databaseLogin: async () => ((await mayReadSecret(sources)) ? sources.currentLogin() : undefined),
    clientMayReachProxy: () => firewall.allows(service.securityGroupIds, proxy.securityGroupIds, proxy.port),
    proxyMayReachDatabase: () => firewall.allows(proxy.securityGroupIds, database.securityGroupIds, proxy.port),
  };
}

/** What `rds-db:connect` is asked for: a user of the proxy, never of the instance behind it. */
function databaseUserArn({ proxy }: Declared, { partition, region, accountId }: Place, user: string): string {
  return `arn:${partition}:rds-db:${region}:${accountId}:dbuser:${proxy.resourceId}/${user}`;
}

/** RDS assumes the proxy's role, reads the secret, and Secrets Manager decrypts it on the role's behalf: all three must hold. */
async function mayReadSecret({ declared, place, iam }: AuthoritySources): Promise<boolean> {
  const { proxy, database } = declared;
  const answers = await Promise.all([
    iam.allows({ principal: "rds.amazonaws.com", action: "sts:AssumeRole", resource: proxy.roleArn }),
    iam.allows({ principal: proxy.roleArn, action: "secretsmanager:GetSecretValue", resource: proxy.secretArn }),
    iam.allows({
      principal: proxy.roleArn,
      action: "kms:Decrypt",
      resource: database.secretKeyArn,
      context: { "kms:ViaService": `secretsmanager.${place.region}.${place.dnsSuffix}` },
    }),
  ]);
  return proxy.secretArn === database.secretArn && answers.every(Boolean);
}
