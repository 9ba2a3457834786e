/** A gap that is accepted for a while, and why that is bearable. */
export interface Exception {
  /** Id of the control. */
  readonly control: string;
  /** The resource, as reports name it: last part of its type and logical name, such as `Proxy proxy`. */
  readonly resource: string;
  /** Why the control is not met. */
  readonly reason: string;
  /** What keeps the risk small meanwhile. */
  readonly compensating: string;
  /** Last day that it counts, `YYYY-MM-DD` (UTC). Whoever renews it looks at it again. */
  readonly reviewBy: string;
}

/** Whether an exception still counts on a day. */
export function isCurrent({ reviewBy }: Exception, today: Date): boolean {
  return today.toISOString().slice(0, 10) <= reviewBy;
}

/** What is wrong with a register by itself: in words, one for each mistake. */
export function registerMistakes(exceptions: readonly Exception[], controlIds: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return exceptions.flatMap(({ control, resource, reason, compensating, reviewBy }) => {
    const name = `the exception for ${control} on ${resource}`;
    const key = `${control}\n${resource}`;
    const twice = seen.has(key);
    seen.add(key);
    return [
      ...(twice ? [`${name} is registered twice`] : []),
      ...(controlIds.includes(control) ? [] : [`${name} names no control; allowed: an id of policy/controls.ts`]),
      ...(reason.trim() && compensating.trim() ? [] : [`${name} gives no reason or no compensating control`]),
      ...(isDay(reviewBy) ? [] : [`${name} has the review date "${reviewBy}"; allowed: YYYY-MM-DD`]),
    ];
  });
}

/** Whether a text is a day that exists, as `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === text;
}
