/** Whether a segment may be the name of a logical cluster. Paths are not names: only kcp's own clusters have a colon in theirs. */
export const isClusterName = (segment: string): boolean =>
  segment !== '*' && (!segment.includes(':') || segment.startsWith('system:'));

/** The name of a logical cluster, or `*` for all. */
export const isClusterSegment = (segment: string): boolean => segment === '*' || isClusterName(segment);
