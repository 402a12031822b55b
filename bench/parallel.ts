/** Does something `count` times, so many at a time. */
export async function parallel(
  count: number,
  width: number,
  stop: AbortSignal,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      stop.throwIfAborted();
      await work(next++);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
