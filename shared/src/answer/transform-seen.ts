import { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';

/** An object as the caller sees it; undefined: not at all. */
export type See = (object: KubeObject) => KubeObject | undefined;

/**
 * What `made` returns, or undefined where that fails for this one object: what somebody has written on it, or nested too deeply for
 * recursion, does not take the others from those who list and watch them.
 */
export function orLeftOut<T>(made: () => T): T | undefined {
  try {
    return made();
  } catch (error) {
    if (error instanceof StatusError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The same for each of many objects. */
export const seenAmongOthers =
  (see: See): See =>
  object =>
    orLeftOut(() => see(object));
