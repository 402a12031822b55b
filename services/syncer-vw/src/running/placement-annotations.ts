import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { parseLabelSelector } from '@kcp-vw/shared/kube/selectors.ts';
import type { Placement } from '../controllers/placement.ts';

/** On namespaces: a label selector over SyncTargets; without it, all of them. */
export const SELECTOR_ANNOTATION = 'placement.workload.kcp.io/selector';
/** On namespaces: on how many targets at once; one by default. */
export const SPREAD_ANNOTATION = 'placement.workload.kcp.io/spread';

/** Characters: it is asked of every target that the namespace may go to, again and again. */
const LONGEST_SELECTOR = 2_000;
const NUMBER = /^\d{1,4}$/;

/** What a namespace asks for, or why nobody can tell. */
export function placementFrom({ metadata }: KubeObject): Placement | { readonly problem: string } {
  const { [SELECTOR_ANNOTATION]: selector = '', [SPREAD_ANNOTATION]: spread = '1' } = metadata?.annotations ?? {};
  if (!NUMBER.test(spread.trim())) {
    return { problem: `the annotation ${SPREAD_ANNOTATION} is no number of targets: ${JSON.stringify(spread.slice(0, 100))}` };
  }
  if (selector.length > LONGEST_SELECTOR)
    return { problem: `the annotation ${SELECTOR_ANNOTATION} is longer than ${LONGEST_SELECTOR} characters` };
  try {
    return { selector: parseLabelSelector(selector), spread: Number(spread) };
  } catch (error) {
    return { problem: `the annotation ${SELECTOR_ANNOTATION} is no label selector: ${(error as Error).message.slice(0, 300)}` };
  }
}
