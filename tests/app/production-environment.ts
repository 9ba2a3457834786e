/** An environment with which the application starts in production: every variable that it requires. */
export const PRODUCTION = {
  ENV: "production",
  AWS_REGION: "eu-west-2",
  DB_HOST: "db.proxy-abc.eu-west-2.rds.amazonaws.com",
  POSTGRES_DB: "app",
  POSTGRES_USER: "app_master",
  REQUEST_DEADLINE_SECONDS: "100",
  KEEP_ALIVE_SECONDS: "130",
  DRAIN_SECONDS: "110",
  MIGRATION_DEADLINE_SECONDS: "110",
  DB_POOL_SIZE: "8",
  DB_CONNECT_RETRY_SECONDS: "60",
  DB_ACQUIRE_SECONDS: "90",
  DB_CONNECTION_LIFETIME_SECONDS: "1500",
};
