import { internalError, invalid } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { parseTimestamp } from './timestamps.ts';

export const GROUP = 'workload.kcp.io';
export const VERSION = 'v1alpha1';
export const KIND = 'SyncTarget';
export const RESOURCE = 'synctargets';
/** With the key of the SyncTarget that it is on. */
export const KEY_LABEL = 'internal.workload.kcp.io/key';

/** The name is in labels and annotations of objects elsewhere, behind a prefix. */
export const LONGEST_NAME = 234;
/** The path of a workspace. */
export const PATH_PATTERN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(:[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

/** What of an export's resource a syncer makes of it. It is the syncer that says so. */
export type CompatibilityState = 'Pending' | 'Accepted' | 'Incompatible';
export const COMPATIBILITY_STATES: readonly CompatibilityState[] = ['Pending', 'Accepted', 'Incompatible'];

export interface SyncedResource {
  readonly group?: string;
  readonly resource: string;
  /** By priority, never empty. */
  readonly versions: readonly string[];
  readonly identityHash?: string;
  readonly state?: CompatibilityState;
}

export interface VirtualWorkspaceUrls {
  readonly syncerURL: string;
  readonly upsyncerURL: string;
}

export interface SyncTargetCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** Set if and only if the status is False. */
  readonly severity?: 'Error' | 'Warning' | 'Info';
  readonly lastTransitionTime: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ExportReference {
  /** The path of a workspace; that of the SyncTarget if it is not there. */
  readonly path?: string;
  readonly export: string;
}

/** `workload.kcp.io/v1alpha1 SyncTarget`: a physical cluster, whose syncer brings objects there. */
export interface SyncTarget extends KubeObject {
  readonly spec?: {
    /** Gets no namespaces that it does not have. */
    readonly unschedulable?: boolean;
    /** RFC 3339; after it, the target loses the namespaces that it has. */
    readonly evictAfter?: string;
    readonly supportedAPIExports?: readonly ExportReference[];
    readonly cells?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly virtualWorkspaces?: readonly VirtualWorkspaceUrls[];
    readonly syncedResources?: readonly SyncedResource[];
    /** RFC 3339. */
    readonly lastSyncerHeartbeatTime?: string;
    readonly conditions?: readonly SyncTargetCondition[];
    readonly allocatable?: Readonly<Record<string, string | number>>;
    readonly capacity?: Readonly<Record<string, string | number>>;
  };
}

/** What tells a SyncTarget from all others, its deleted namesakes included. */
export interface SyncTargetIdentity {
  readonly cluster: string;
  readonly name: string;
  readonly uid: string;
}

/** Throws a StatusError 500 for an object that was not read from an API server. */
export function identityOf(target: KubeObject): SyncTargetIdentity {
  const { name = '', uid = '' } = target.metadata ?? {};
  const cluster = clusterOf(target);
  if (cluster && name && uid) return { cluster, name, uid };
  throw internalError(`the SyncTarget "${name}" has no uid or no logical cluster`);
}

/** Throws a StatusError 422 with every field that its schema, too, refuses. The status is not looked at: its writers are ours. */
export function validSyncTarget(object: KubeObject): SyncTarget {
  const causes = [...nameErrors(object), ...specErrors(object.spec)];
  if (causes.length > 0) throw invalid({ group: GROUP, kind: KIND }, object.metadata?.name ?? '', causes);
  return object as SyncTarget;
}

interface Cause {
  readonly field: string;
  readonly value: unknown;
  readonly detail: string;
}

function nameErrors({ metadata }: KubeObject): readonly Cause[] {
  const { name = '' } = metadata ?? {};
  if (name.length > 0 && name.length <= LONGEST_NAME) return [];
  return [{ field: 'metadata.name', value: name, detail: `must have 1 to ${LONGEST_NAME} characters` }];
}

function specErrors(spec: unknown): readonly Cause[] {
  if (spec === undefined) return [];
  if (!isObject(spec)) return [{ field: 'spec', value: spec, detail: 'must be an object' }];
  const { unschedulable = false, evictAfter, supportedAPIExports = [], cells = {} } = spec;
  const wrong = (isRight: boolean, field: string, value: unknown, detail: string): readonly Cause[] =>
    isRight ? [] : [{ field: `spec.${field}`, value, detail }];
  return [
    ...wrong(typeof unschedulable === 'boolean', 'unschedulable', unschedulable, 'must be true or false'),
    ...wrong(evictAfter === undefined || isTimestamp(evictAfter), 'evictAfter', evictAfter, 'must be an RFC 3339 timestamp'),
    ...(Array.isArray(supportedAPIExports)
      ? supportedAPIExports.flatMap((reference, index) =>
          wrong(
            isReference(reference),
            `supportedAPIExports[${index}]`,
            reference,
            'must name an export, and its workspace by path',
          ),
        )
      : wrong(false, 'supportedAPIExports', supportedAPIExports, 'must be a list')),
    ...wrong(isObject(cells) && Object.values(cells).every(isText), 'cells', cells, 'must be texts by name'),
  ];
}

const PATH = new RegExp(PATH_PATTERN);
const isReference = (value: unknown): boolean =>
  isObject(value) && isText(value.export) && value.export !== '' && (value.path === undefined || isPath(value.path));
const isPath = (value: unknown): boolean => isText(value) && PATH.test(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isTimestamp = (value: unknown): boolean => isText(value) && parseTimestamp(value) !== undefined;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
