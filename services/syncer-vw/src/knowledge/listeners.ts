export interface Listeners<E> {
  /** Returns how to stop listening. */
  add(listener: (event: E) => void): () => void;
  tell(event: E): void;
}

/** Those who listen to something. One that throws keeps nobody else from being told; `onError` is told of it. */
export function createListeners<E>(onError: (error: unknown) => void): Listeners<E> {
  const listeners = new Set<(event: E) => void>();
  return {
    add(listener) {
      // A function of its own, so that the same listener may be registered twice and dropped once.
      const own = (event: E): void => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    tell(event) {
      for (const listener of [...listeners]) {
        try {
          listener(event);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}
