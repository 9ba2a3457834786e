import type { Question } from "./decide.ts";
import type { Scene } from "./scene.ts";

/** A question that must be answered with yes, and what is beside it. */
export interface Asked {
  readonly question: Question;
  /** Parts of the resource that name it: each is altered in turn. A trust and a key's policy stay with their resource: none. */
  readonly ids: readonly string[];
  /** Other resources of the program, or of its surroundings, that it must not reach. */
  readonly otherResources: readonly string[];
  /** What must not be possible on the same resource. */
  readonly otherActions: readonly string[];
  /** Other sources (`aws:SourceArn`) on whose behalf it must not be. */
  readonly otherSources?: readonly string[];
  /** Who else may ask the same, for a reason of their own. */
  readonly alsoBy?: readonly string[];
}

/** Something that the program's policies are for. */
export interface Allowed {
  readonly says: string;
  /** How many near misses it has. The count stands here so that none can vanish. */
  readonly nearMisses: number;
  readonly asks: (scene: Scene) => Asked;
}

/** The ARN of an administrator's role, in the account of the program unless another is named. */
export function administratorOf({ place }: Scene, accountId = place.accountId): string {
  return `arn:${place.partition}:iam::${accountId}:role/administrator`;
}

/** What a resource's own policy allows has nothing beside it but other actions. */
export const NOTHING_BESIDE: Omit<Asked, "question"> = { ids: [], otherResources: [], otherActions: [] };
