import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { MergePatch } from './merge-patch.ts';

export interface ObjectParts {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly finalizers?: string[];
  readonly deletionTimestamp?: string;
  readonly spec?: object;
  readonly status?: object;
}

/** An object as an API server gives it, in the logical cluster `c1`. */
export const stored = ({ name = 'web', annotations = {}, spec, status, ...metadata }: ObjectParts = {}): KubeObject => ({
  metadata: {
    name,
    uid: 'uid',
    resourceVersion: '41',
    ...metadata,
    annotations: { 'kcp.io/cluster': 'c1', ...annotations },
  },
  ...(spec && { spec }),
  ...(status && { status }),
});

/** The object once the API server has applied the patch. */
export function patched<T extends KubeObject>(object: T, { metadata, status }: MergePatch): T {
  const { labels, annotations, ...rest } = object.metadata ?? {};
  return {
    ...object,
    metadata: {
      ...rest,
      labels: merged(labels, metadata.labels),
      annotations: merged(annotations, metadata.annotations),
      ...(metadata.finalizers && { finalizers: [...metadata.finalizers] }),
    },
    ...(status && { status: merged(object.status as Members | undefined, status) }),
  };
}

type Members = Readonly<Record<string, unknown>>;

const merged = <T>(before: Readonly<Record<string, T>> | undefined, change: Readonly<Record<string, T | null>> = {}) =>
  Object.fromEntries(Object.entries({ ...before, ...change }).filter((entry): entry is [string, T] => entry[1] !== null));
