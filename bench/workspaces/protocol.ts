/** What the process that is measured is told to do, and what it tells of it. */
import type { Grant } from './objects.ts';
import type { Resource, WorldSize } from './world.ts';

/** A change of the facts, as a watch of the shard would bring it. */
export type Write =
  /** The workspaces with these numbers, each as another version of itself. */
  | { readonly renew: readonly number[]; readonly revision: number }
  /** A binding is made or replaced; without subjects it is taken away. */
  | { readonly bind: Grant; readonly cluster: string }
  /** A role that gives access, or nothing. */
  | { readonly role: string; readonly cluster: string; readonly access: boolean };

export type Command =
  /** One after the other, each a change of its own. */
  | { readonly do: 'write'; readonly writes: readonly Write[] }
  /** One workspace so many times, with a turn of the event loop after each. */
  | { readonly do: 'burst'; readonly index: number; readonly revision: number; readonly count: number }
  /** What it holds, after garbage has been collected. */
  | { readonly do: 'measure' }
  /** What it has used so far. */
  | { readonly do: 'account' };

/** Bytes. */
export interface Memory {
  readonly heap: number;
  readonly resident: number;
}

/** What has been done. */
export interface Done {
  /** Of the clock that all processes of the machine share, in nanoseconds. */
  readonly began: string;
  /** Milliseconds. */
  readonly took: number;
  /** Milliseconds of CPU that the process used meanwhile. */
  readonly cpu: number;
}

export interface Measured {
  readonly memory: Memory;
  /** Of the index: who waits for events. */
  readonly followers: number;
}

/** How the index was filled. */
export interface Filled {
  readonly milliseconds: Readonly<Record<Resource, number>>;
  /** Characters of all workspaces. */
  readonly text: number;
  readonly workspaces: number;
  readonly edges: number;
  /** What has come with the objects. */
  readonly index: Memory;
  /** The same with what the feed keeps of each object to compare the next list with. */
  readonly withFeed: Memory;
  /** Edges that were put in afterwards, five in a binding to each workspace, and the heap that came with them. */
  readonly further: { readonly edges: number; readonly heap: number; readonly milliseconds: number };
  /** Heap that stayed when these were taken out again. */
  readonly left: number;
}

export interface ServerOptions {
  readonly size: WorldSize;
  readonly socketPath: string;
}

export type Reply =
  | { readonly done: Done }
  | { readonly measured: Measured }
  /** Milliseconds of CPU since the start. */
  | { readonly cpu: number }
  | { readonly filled: Filled }
  | { readonly failed: string };
