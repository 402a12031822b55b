/**
 * Reads of one key that are asked for while another is under way share the next one. Each answer comes of a read that began after it was
 * asked for, so that nobody is given a state that was over by then.
 */
export function sharedReads<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const underWay = new Map<string, { readonly ended: Promise<unknown>; next?: Promise<T> }>();
  const begin = (key: string): Promise<T> => {
    const answer = read(key);
    const entry = {
      ended: answer.then(
        () => undefined,
        () => undefined,
      ),
    };
    underWay.set(key, entry);
    entry.ended.then(() => {
      // The next read has not begun yet: whoever comes before it does may still share it.
      if (underWay.get(key) === entry && !('next' in entry)) underWay.delete(key);
    });
    return answer;
  };
  return key => {
    const entry = underWay.get(key);
    if (entry === undefined) return begin(key);
    entry.next ??= entry.ended.then(() => begin(key));
    return entry.next;
  };
}

export interface RecentReads<T> {
  read(key: string): Promise<T | undefined>;
  /** What was read of it counts no more, and what is being read will not. */
  forget(key: string): void;
  /** It is about to change: for the lifetime of a read nothing of it is kept, so that who has changed it sees what he has done. */
  suspend(key: string): void;
}

/** Answers again for `lifetime` milliseconds what was read once, unless it is told to forget it. `undefined` is never kept. */
export function recentReads<T>(read: (key: string) => Promise<T | undefined>, lifetime: number): RecentReads<T> {
  const known = new Map<string, T>();
  /** Who asks takes a ticket. An answer is kept only while its ticket holds: a change in between may be missing from it. */
  const tickets = new Map<string, symbol>();

  const suspended = new Map<string, NodeJS.Timeout>();

  const forget = (key: string): void => {
    known.delete(key);
    tickets.delete(key);
  };
  const keep = (key: string, answer: T): void => {
    known.set(key, answer);
    setTimeout(() => {
      if (known.get(key) === answer) known.delete(key);
    }, lifetime).unref();
  };
  const readAndKeep = async (key: string): Promise<T | undefined> => {
    if (suspended.has(key)) return read(key);
    const ticket = tickets.get(key) ?? Symbol(key);
    tickets.set(key, ticket);
    try {
      const answer = await read(key);
      if (answer !== undefined && tickets.get(key) === ticket) keep(key, answer);
      return answer;
    } finally {
      if (tickets.get(key) === ticket) tickets.delete(key);
    }
  };
  return {
    read(key) {
      const answer = known.get(key);
      return answer === undefined ? readAndKeep(key) : Promise.resolve(answer);
    },
    forget,
    suspend(key) {
      forget(key);
      clearTimeout(suspended.get(key));
      suspended.set(key, setTimeout(() => suspended.delete(key), lifetime).unref());
    },
  };
}
