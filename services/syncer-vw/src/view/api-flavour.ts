import { SYNC, type SyncTargetKey, stateLabel, UPSYNC } from '../transform/names.ts';

/** What tells the two views from each other: what they serve, and which objects are a target's there. */
export interface ApiFlavour {
  readonly view: 'syncer' | 'upsyncer';
  /** Of resources; of `status` they are the same in both. */
  readonly verbs: readonly string[];
  /** Whether there is what every syncer gets besides. */
  readonly builtIns: boolean;
  readonly serves: (group: string, resource: string) => boolean;
  /** The state label's value on objects of the view. */
  readonly state: typeof SYNC | typeof UPSYNC;
}

/** They come from physical clusters, and never go there as they are. */
const UPSYNCED: readonly string[] = ['endpoints', 'persistentvolumes', 'pods'];
/** A volume may also be one that a workspace asks a cluster for. */
const NEVER_SYNCED: readonly string[] = ['endpoints', 'pods'];

const isCore = (group: string): boolean => group === '';

export const SYNCER: ApiFlavour = Object.freeze({
  view: 'syncer',
  verbs: Object.freeze(['get', 'list', 'patch', 'update', 'watch']),
  builtIns: true,
  serves: (group: string, resource: string) => !(isCore(group) && NEVER_SYNCED.includes(resource)),
  state: SYNC,
});

export const UPSYNCER: ApiFlavour = Object.freeze({
  view: 'upsyncer',
  verbs: Object.freeze(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']),
  builtIns: false,
  serves: (group: string, resource: string) => isCore(group) && UPSYNCED.includes(resource),
  state: UPSYNC,
});

/** The label selector of a target's objects in a view. */
export const selectorOf = ({ state }: Pick<ApiFlavour, 'state'>, key: SyncTargetKey): string => `${stateLabel(key)}=${state}`;
