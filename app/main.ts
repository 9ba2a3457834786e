import closeWithGrace from "close-with-grace";
import { destination, type Logger } from "pino";
import { ConfigurationError, readConfiguration, type ServiceConfiguration } from "./config.ts";
import { createLogger } from "./logging.ts";
import { createMigration } from "./migrate.ts";
import { secretsOf } from "./pool.ts";
import { errorCode } from "./postgres/index.ts";
import { createService } from "./start.ts";

const USAGE = `Usage: main.js [serve | migrate]

  serve     answer HTTP requests (the default)
  migrate   bring the database's schema up to date, then exit

Configuration comes from the environment; ENV is production or development.
`;

type Command = (configuration: ServiceConfiguration, logger: Logger) => Promise<void>;

const COMMANDS: Readonly<Record<string, Command>> = { serve, migrate };

async function main([word = "serve", ...rest]: readonly string[]): Promise<void> {
  if (word === "--help" || word === "-h") {
    process.stdout.write(USAGE);
    return;
  }
  const command = Object.hasOwn(COMMANDS, word) && rest.length === 0 ? COMMANDS[word] : undefined;
  if (!command) {
    process.stderr.write(`Not understood: ${JSON.stringify([word, ...rest].join(" "))}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const configuration = configure();
  if (!configuration) return;
  const secrets = secretsOf(configuration);
  // Synchronous: the last lines before the process ends are those that matter.
  const logger = createLogger({
    level: configuration.logLevel,
    secrets,
    destination: destination({ dest: 1, sync: true }),
  });
  await command(configuration, logger);
}

/** The configuration, or undefined after every mistake was printed. */
function configure(): ServiceConfiguration | undefined {
  try {
    return readConfiguration(process.env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
    return undefined;
  }
}

async function serve(configuration: ServiceConfiguration, logger: Logger): Promise<void> {
  const service = createService(configuration, logger);
  const grace = onExit(configuration.drainSeconds, logger, () => service.stop());
  try {
    await service.start();
  } catch (error) {
    // A signal ends the start with an error too; then the exit is on its way.
    if (grace.closing()) return;
    logger.fatal({ code: errorCode(error), err: error }, "The service did not start");
    process.exit(1);
  }
}

async function migrate(configuration: ServiceConfiguration, logger: Logger): Promise<void> {
  const migration = createMigration(configuration, logger);
  const grace = onExit(configuration.drainSeconds, logger, async () => {
    void migration.stop();
    // What waits for the migrations must not go on without them.
    throw new Error("The migrations were interrupted");
  });
  try {
    const names = await migration.run();
    logger.info({ migrations: names }, names.length === 0 ? "Nothing to migrate" : "Migrated");
  } catch (error) {
    if (grace.closing()) return;
    logger.error({ code: errorCode(error), err: error }, error instanceof Error ? error.message : "Not migrated");
    process.exit(1);
  }
  process.exit(0);
}

/** Runs `stop` at the first signal or uncaught error, then exits: with 0 after a signal, with 1 after an error or past the limit. */
function onExit(seconds: number, logger: Logger, stop: () => Promise<void>): { closing(): boolean } {
  let closing = false;
  closeWithGrace(
    {
      delay: seconds * 1000,
      logger,
      onTimeout: () => {
        logger.error({ code: "DRAIN_DEADLINE", seconds }, "Not finished within DRAIN_SECONDS; exiting all the same");
      },
    },
    async ({ err, signal }) => {
      closing = true;
      if (err) logger.fatal({ code: errorCode(err), err }, "An error that nothing handled");
      else logger.info({ signal }, "Stopping");
      await stop();
      logger.info("Stopped");
    },
  );
  return { closing: () => closing };
}

await main(process.argv.slice(2));
