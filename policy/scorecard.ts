import { parseArgs } from "node:util";
import { runCommand, UsageError } from "../local/command.ts";
import { readStackConfiguration } from "../local/program/configuration.ts";
import { evaluate } from "../local/program.ts";
import { CONTROLS } from "./controls.ts";
import { evaluateControls, fails } from "./evaluate.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { stackOf } from "./offline.ts";
import { isDay } from "./register.ts";
import { scorecardJson, scorecardText } from "./report.ts";
import { tierOf } from "./tier.ts";

const HELP = `Usage: npm run scorecard -- [--stack NAME] [--json] [--today YYYY-MM-DD]

Evaluates a stack of the program without AWS and without Pulumi's engine, and holds every control of policy/ against what it declares.
Prints each control with the ids of who asks for it, the resource and the result; then what is wrong, if anything.

  --stack NAME   the stack, by its file Pulumi.NAME.yaml (production)
  --json         one JSON document instead of the table
  --today DAY    judge exceptions as on that day (today), to see what will be due
  --help         this

Exit status: 0 when nothing fails, 1 when something does or the program does not evaluate, 2 when called wrongly.`;

await runCommand(async () => {
  const { stack, json, help, today } = options();
  if (help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const { project, values } = await readStackConfiguration(stack);
  const declared = stackOf(await evaluate(stack), tierOf(values[`${project}:tier`]));
  const scorecard = evaluateControls(declared, { controls: CONTROLS, exceptions: EXCEPTIONS, today: dayOf(today) });
  const text = json ? JSON.stringify(scorecardJson(stack, scorecard), undefined, 2) : scorecardText(stack, scorecard);
  // The process exits by itself as soon as this returns, and a pipe may still be full.
  await new Promise<void>((resolve) => void process.stdout.write(`${text}\n`, () => resolve()));
  return scorecard.registerMistakes.length > 0 || scorecard.findings.some(fails) ? 1 : 0;
});

function dayOf(text: string | undefined): Date {
  if (text === undefined) return new Date();
  if (!isDay(text)) throw new UsageError(`--today is "${text}"; allowed: a day, YYYY-MM-DD`);
  return new Date(`${text}T00:00:00Z`);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        stack: { type: "string", default: "production" },
        json: { type: "boolean", default: false },
        today: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)}\n\n${HELP}`, { cause });
  }
}
