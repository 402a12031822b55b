/** How often everything is done. */
export interface Pace {
  /** Lists of objects that nobody has asked for since they have changed. */
  readonly firstLists: number;
  /** Lists of the same objects again. */
  readonly laterLists: number;
  /** Milliseconds after which there are enough of these. */
  readonly listTime: number;
  /** Of each kind of change. */
  readonly changes: number;
  /** Of what counts in all logical clusters of a shard. */
  readonly shardWideChanges: number;
  /** For so many watchers. */
  readonly events: number;
  /** Milliseconds of as many events as there can be. */
  readonly sustained: number;
}

export const FULL: Pace = {
  firstLists: 7,
  laterLists: 300,
  listTime: 4_000,
  changes: 200,
  shardWideChanges: 10,
  events: 30,
  sustained: 3_000,
};

export const QUICK: Pace = {
  firstLists: 2,
  laterLists: 40,
  listTime: 500,
  changes: 20,
  shardWideChanges: 4,
  events: 5,
  sustained: 500,
};
