import type { Forward } from '../view/view.ts';

type Until = NonNullable<Forward['until']>;

/** Ends the long-running answers of a process that shuts down, so that their clients go elsewhere instead of being cut off. */
export interface Drain {
  begin(): void;
  readonly until: Until;
}

export function createDrain(): Drain {
  const ends = new Set<(reason: string) => void>();
  let begun = false;
  return {
    begin() {
      begun = true;
      for (const end of [...ends]) end(REASON);
    },
    until(end) {
      if (begun) end(REASON);
      else ends.add(end);
      return () => ends.delete(end);
    },
  };
}

const REASON = 'the server is shutting down';

/** Ends with whichever ends first. */
export const eitherUntil =
  (first: Until | undefined, second: Until): Until =>
  end => {
    const stops = [first?.(end), second(end)];
    return () => {
      for (const stop of stops) stop?.();
    };
  };
