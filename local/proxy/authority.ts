/** Temporary credentials as AWS STS issues them to a role's session, with the role that they belong to. */
export interface IssuedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
  /** ARN of the declared role that the credentials were issued to. */
  readonly roleArn: string;
}

/** What the proxy found in the AWSCURRENT version of its secret. */
export interface DatabaseLogin {
  readonly username: string;
  readonly password: string;
  /** Version of the secret, as Secrets Manager names it. */
  readonly versionId: string;
}

/**
 * Everything that the proxy asks of AWS before it lets a client through. The proxy knows no policy, secret or
 * security group: it asks here, and the answers come from what the program declares.
 */
export interface Authority {
  /** The credentials behind an access key id, or undefined when none were issued under it. */
  issuedCredentials(accessKeyId: string): IssuedCredentials | undefined;
  /** Whether the role's policies allow `rds-db:connect` on this proxy as `databaseUser`. */
  mayConnect(roleArn: string, databaseUser: string): Promise<boolean>;
  /** The secret read as the proxy's role: undefined when its trust, its policy or the key's policy does not allow it. */
  databaseLogin(): Promise<DatabaseLogin | undefined>;
  /** Whether the security groups let the service's network interface reach the proxy's. */
  clientMayReachProxy(): boolean;
  /** Whether the security groups let the proxy's network interface reach the database's. */
  proxyMayReachDatabase(): boolean;
}
