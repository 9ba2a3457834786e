import { parseArgs } from "node:util";
import { type CommandContext, runCommand, UsageError } from "./command.ts";
import { type Description, describeEnvironment } from "./description.ts";
import type { Environment } from "./environment.ts";

const HELP = `Usage: npm run local -- [options]

Runs what the Pulumi program declares on this machine, until Ctrl-C: PostgreSQL, RDS Proxy, the task's credentials, the rotating
secret, the migration and the service behind its load balancer. Everything listens on 127.0.0.1 only.

Options:
  --stack NAME          stack to evaluate (default: production)
  --config KEY=VALUE    configuration over the stack file's, as to "pulumi config set"; may be repeated
  --json                one line of JSON on stdout once ready; all else goes to stderr
  --help                this text

Control, JSON over HTTP at the address that is printed:
  POST /rotate          rotates the credential; optional body {"windowMs": n}
  POST /faults          starts a fault, such as {"fault": "failover", "seconds": 5}; README.md lists them
  GET  /faults          those that run; DELETE ends them
  GET  /metrics         the proxy's CloudWatch metrics
  GET  /healthz`;

await runCommand(async (context) => {
  const options = parse(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  context.log(`evaluating the program for stack ${options.stack}`);
  // Loaded only now, so that help and refusals come at once.
  const [{ evaluate }, { startEnvironment }] = await Promise.all([import("./program.ts"), import("./environment.ts")]);
  const program = await evaluate(options.stack, { config: options.config });
  const environment = await startEnvironment(program, context);
  try {
    return await serve(environment, options.json, context);
  } finally {
    await environment.stop();
  }
});

async function serve(environment: Environment, json: boolean, { signal, log }: CommandContext): Promise<number> {
  let failure: Error | undefined;
  const { startControl } = await import("./control.ts");
  const control = await startControl(environment.controlPlane, () => failure?.message);
  const description = describeEnvironment(environment, control.url);
  process.stdout.write(json ? `${JSON.stringify(description)}\n` : summary(description));
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  failure = await Promise.race([aborted, environment.failed]);
  await control.close();
  if (failure === undefined) return 0;
  log(`error: ${failure.message}`);
  return 1;
}

function summary({ service, control, proxy, database }: Description): string {
  return `
service   ${service.url}/projects
control   ${control.url}   (curl -X POST ${control.url}/rotate)
proxy     ${proxy.address}:${proxy.listenPort}, stands for ${proxy.endpoint}:${proxy.port}, CA ${proxy.caFile}
database  ${database.directUrl}

Ctrl-C stops everything.
`;
}

function parse(args: string[]): { stack: string; config: Record<string, string>; json: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        stack: { type: "string", default: "production" },
        config: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return { ...values, config: Object.fromEntries(values.config.map(keyAndValue)) };
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n\n${HELP}`, { cause });
  }
}

function keyAndValue(argument: string): [key: string, value: string] {
  const at = argument.indexOf("=");
  if (at < 1) throw new Error(`--config ${argument}; allowed: KEY=VALUE`);
  return [argument.slice(0, at), argument.slice(at + 1)];
}
