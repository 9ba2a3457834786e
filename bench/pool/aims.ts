import { figure, type Spread, spreadText } from "../statistics.ts";
import { SUBJECT } from "./contenders.ts";
import { describeLoad, LOADS } from "./plan.ts";
import { loadMeasure, missingOf, type Results, ratioOver, spreadOver } from "./samples.ts";

/** Share of the baseline's throughput that is aimed at where everything succeeds. */
const THROUGHPUT = 0.98;
/** What is enough where the ratios of the rounds lie so far apart that they reach the aim as well as miss it. */
const THROUGHPUT_WITHIN_SPREAD = 0.95;
/** How many times the baseline's, where statements fail. */
const THROUGHPUT_FAILING = 5;
const RECOVERY_MS = 1_000;
const MINT_MS = 0.1;

/** An aim, and whether this run met it. */
export interface Aim {
  readonly aim: string;
  readonly measured: string;
  readonly passed: boolean;
}

/** Judges a run by the aims. What was not measured at all is not met. */
export function judge(results: Results): Aim[] {
  return [...LOADS.filter(({ failing }) => !failing).map((load) => happyPath(results, load)), ...others(results)];
}

function happyPath(results: Results, load: (typeof LOADS)[number]): Aim {
  const ratio = ratioOver(results, loadMeasure(load, "perSecond"), SUBJECT);
  return {
    aim: `${describeLoad(load)}: at least ${THROUGHPUT} of pg.Pool's throughput`,
    measured: spreadText(ratio),
    passed: meetsThroughput(ratio),
  };
}

/** At least 0.98; or at least 0.95, when some rounds reach 0.98 and so the spread hides which it is. */
export function meetsThroughput({ median, most }: Spread): boolean {
  return median >= THROUGHPUT || (median >= THROUGHPUT_WITHIN_SPREAD && most >= THROUGHPUT);
}

function others(results: Results): Aim[] {
  const failing = LOADS.filter((load) => load.failing && load.work === "select").map((load): Aim => {
    const ratio = ratioOver(results, loadMeasure(load, "perSecond"), SUBJECT);
    return {
      aim: `${describeLoad(load)}: at least ${THROUGHPUT_FAILING} times pg.Pool's throughput`,
      measured: spreadText(ratio),
      passed: ratio.median >= THROUGHPUT_FAILING,
    };
  });
  const recovery = spreadOver(results, "recovery/fullThroughput", SUBJECT);
  const notSeen = missingOf(results, "recovery/fullThroughput", SUBJECT);
  const mint = spreadOver(results, "mint/later", SUBJECT);
  return [
    ...failing,
    {
      aim: `full throughput under ${RECOVERY_MS} ms after every connection was dropped, in every round`,
      measured: `${spreadText(recovery)} ms${notSeen > 0 ? `, and not seen in ${notSeen} rounds` : ""}`,
      passed: notSeen === 0 && recovery.most < RECOVERY_MS,
    },
    {
      aim: `a mint under ${MINT_MS} ms after the first`,
      measured: `${figure(mint.median)} ms`,
      passed: mint.median < MINT_MS,
    },
  ];
}
