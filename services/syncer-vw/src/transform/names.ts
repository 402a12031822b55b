/** The names under which kcp, the scheduler and this service keep what belongs to one SyncTarget on an object of many. */

/** See `syncTargetKey`. */
export type SyncTargetKey = string;

/** The state label's values; the empty text is pending. */
export const SYNC = 'Sync';
export const UPSYNC = 'Upsync';

/** What the key follows. */
export const STATE_LABEL = 'state.workload.kcp.io/';
export const SYNCER_FINALIZER = 'workload.kcp.io/syncer-';
export const VIEW_DIFF_ANNOTATION = 'diff.syncer.internal.kcp.io/';

/** Which fields syncers may write, of all of them. It ends in `kcp.io`: where kcp's admission `ReservedMetadata` is switched on, only masters may set it. */
export const RULES_ANNOTATION = 'experimental.summarizing.workload.kcp.io';

export const stateLabel = (key: SyncTargetKey): string => STATE_LABEL + key;
export const syncerFinalizer = (key: SyncTargetKey): string => SYNCER_FINALIZER + key;
/** RFC 3339: the object is to leave this target. */
export const deletionAnnotation = (key: SyncTargetKey): string => `deletion.internal.workload.kcp.io/${key}`;
/** Any text but the empty one keeps the target from seeing the deletion. */
export const softFinalizersAnnotation = (key: SyncTargetKey): string => `finalizers.workload.kcp.io/${key}`;
/** The values of the fields that this target's syncer has written: a JSON object by field path. */
export const viewDiffAnnotation = (key: SyncTargetKey): string => VIEW_DIFF_ANNOTATION + key;
/** A JSON Patch of `.spec`, for this target only. */
export const specDiffAnnotation = (key: SyncTargetKey): string => `experimental.spec-diff.workload.kcp.io/${key}`;
/** A JSON Patch that an upsyncer sends along with an object. There is nothing between the name and the key. */
export const upsyncDiffAnnotation = (key: SyncTargetKey): string => `internal.workload.kcp.io/upsyncdiff${key}`;
