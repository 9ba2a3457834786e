import type { Outcome } from "../../../local/load/outcome.ts";
import { QUANTITIES, type QuantityName, type Sample } from "../../../local/soak/census.ts";
import type { SoakEvidence } from "../../../local/soak/judgement.ts";

/** A level that everything stands at, on which a test puts what rises. */
const LEVEL = 100;

/** Samples at the end of so many equal legs, with what some quantities have more than the level after a rotation. */
export function samplesOf(
  count: number,
  rotations: number,
  above: Partial<Record<QuantityName, (rotation: number) => number>>,
): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const rotation = ((index + 1) * rotations) / count;
    const values = Object.keys(QUANTITIES).map((name) => [
      name,
      LEVEL + (above[name as QuantityName]?.(rotation) ?? 0),
    ]);
    return { rotation, values: Object.fromEntries(values) as Sample["values"] };
  });
}

/** An outcome that succeeded, unless it is said otherwise. */
export function outcome(changes: Partial<Outcome> = {}): Outcome {
  return { kind: "create", startedAt: 0, latencyMs: 1, succeeded: true, status: 201, ...changes };
}

/** What a service did that does all it should: 20 rotations that were felt, one creation in each. */
export function goodEvidence(changes: Partial<SoakEvidence> = {}): SoakEvidence {
  const rotations = Array.from({ length: 20 }, (_, index) => ({
    startedAt: index * 1_000,
    promotedAt: index * 1_000 + 400,
  }));
  return {
    asked: 20,
    rotations,
    outcomes: rotations.map(({ startedAt }) => outcome({ startedAt })),
    connectionsAt: rotations.map(({ promotedAt }) => promotedAt + 10),
    retriesAt: rotations.map(({ startedAt }) => startedAt + 10),
    tokensMinted: 40,
    databaseAuthErrors: 0,
    acknowledgedIds: rotations.map((_, index) => `id ${index}`),
    storedIds: rotations.map((_, index) => `id ${index}`),
    ledger: [{ kind: "create", writes: 20, different: 20 }],
    samples: samplesOf(20, 20, {}),
    withFaults: false,
    ...changes,
  };
}
