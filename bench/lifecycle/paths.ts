export interface LifecyclePaths {
  /** Before the path of an object in the workspace: `/clusters/<cluster>`, or the view's. */
  readonly content: string;
  /** The list of the logical clusters that wait; undefined where the contender has nothing of its own to say about it. */
  readonly logicalClusters?: string;
  /** The document of one group version; undefined likewise. */
  readonly discovery?: string;
}
