/**
 * What a syncer is to be shown of what is stored, in the words of the specification: written without the service's own code, which is judged
 * by it.
 */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';

type Json = Record<string, unknown>;
type Meta = NonNullable<KubeObject['metadata']>;

/** Not assigned, or not to be shown for what is written on it. */
export type Expected = 'hidden' | 'broken' | KubeObject;

const PROMOTED = '##promoted##';
const VIEW_DIFFS = 'diff.syncer.internal.kcp.io/';
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export function expectedView(upstream: KubeObject, key: string): Expected {
  if (upstream.metadata?.labels?.[`state.workload.kcp.io/${key}`] !== 'Sync') return 'hidden';
  try {
    return viewOf(structuredClone(upstream), key);
  } catch {
    return 'broken';
  }
}

function viewOf(object: KubeObject, key: string): KubeObject {
  const stored = structuredClone(object) as Json;
  const view = object as Json & { metadata: Meta; spec?: unknown };
  const annotations = object.metadata?.annotations ?? {};
  const ownValues = JSON.parse(annotations[VIEW_DIFFS + key] ?? '{}') as Json;
  view.metadata = metadataOf(view.metadata, annotations, key);

  const specDiff = annotations[`experimental.spec-diff.workload.kcp.io/${key}`];
  if (specDiff && view.spec !== undefined) view.spec = patched(view.spec, JSON.parse(specDiff) as readonly Operation[]);

  for (const { fieldPath, promoteToUpstream } of rulesOf(annotations)) {
    const fields = fieldPath.split('.');
    const own = ownValues[fieldPath];
    if (own === PROMOTED) assign(view, fields, at(stored, fields));
    else if (own !== undefined) assign(view, fields, own);
    else if (promoteToUpstream) assign(view, fields, undefined);
  }
  return view;
}

function metadataOf(metadata: Meta, annotations: Readonly<Record<string, string>>, key: string): Meta {
  const { finalizers = [], deletionTimestamp: _, deletionGracePeriodSeconds: __, ...rest } = metadata as Meta & Json;
  const deletion = annotations[`deletion.internal.workload.kcp.io/${key}`];
  if (deletion !== undefined && !RFC3339.test(deletion)) throw new Error(deletion);
  const isHeld = Boolean(annotations[`finalizers.workload.kcp.io/${key}`]);
  const own = `workload.kcp.io/syncer-${key}`;
  const shown = Object.entries(annotations).filter(([name]) => !name.startsWith(VIEW_DIFFS));
  return {
    ...rest,
    annotations: Object.fromEntries(shown),
    ...((finalizers as readonly string[]).includes(own) && { finalizers: [own] }),
    ...(deletion !== undefined && !isHeld && { deletionTimestamp: deletion }),
  };
}

interface Rule {
  readonly fieldPath: string;
  readonly promoteToUpstream: boolean;
}

const rulesOf = (annotations: Readonly<Record<string, string>>): readonly Rule[] => {
  const own = annotations['experimental.summarizing.workload.kcp.io'];
  return own ? (JSON.parse(own) as Rule[]) : [{ fieldPath: 'status', promoteToUpstream: true }];
};

const at = (object: unknown, fields: readonly string[]): unknown =>
  fields.reduce<unknown>((value, field) => (value as Json | undefined)?.[field], object);

/** Undefined takes the field away. */
function assign(object: Json, fields: readonly string[], value: unknown): void {
  const [first = '', ...others] = fields;
  if (others.length > 0) {
    if (value !== undefined) object[first] ??= {};
    if (object[first] !== undefined) assign(object[first] as Json, others, value);
  } else if (value === undefined) delete object[first];
  else object[first] = value;
}

interface Operation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

/** Of maps only, which is all that the tests write. */
function patched(spec: unknown, operations: readonly Operation[]): unknown {
  for (const { op, path, value } of operations) {
    const fields = path.split('/').slice(1);
    const parent = at(spec, fields.slice(0, -1)) as Json | undefined;
    const last = fields.at(-1) ?? '';
    if (parent === undefined || (op !== 'add' && !(last in parent))) throw new Error(`nothing is at ${path}`);
    if (op === 'remove') delete parent[last];
    else parent[last] = value;
  }
  return spec;
}
