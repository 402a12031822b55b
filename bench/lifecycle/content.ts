/** What the workspace is filled with. */

/** Namespaces by how many configmaps they hold. */
export const SIZES = [10, 500, 5_000] as const;
export type Size = (typeof SIZES)[number];
export const namespaceOf = (size: Size): string => `size-${size}`;
/** Where objects come and go. */
export const CREATED = 'created';
export const EVENTS = 'events';

/** How many logical clusters wait for the type. */
export const LOGICAL_CLUSTER_COUNT = 20;
