import { GROUP, NAMESPACE, VERSION } from './content.ts';

/** Where a contender is asked. */
export interface ExportPaths {
  /** Before the paths of one consumer: `/clusters/<logical cluster>`, or the view's. */
  readonly one: string;
  /** Before the paths of all consumers; undefined: it is not asked for them. */
  readonly all?: string;
  /** Behind the name of an exported resource: `:<identity>` at the shard, empty where a view adds it. */
  readonly identity: string;
  /** The query that selects claimed objects: the label of the claim at the shard, empty where a view adds it. */
  readonly claimed: string;
  /** Whether it is written to. */
  readonly isWritten: boolean;
  /** Before `/apis`, for discovery; undefined: it has none of its own. */
  readonly discovery?: string;
  /** Whether it has aggregated discovery of the export alone. */
  readonly aggregates: boolean;
}

/** A collection of an exported resource, in all namespaces. */
export const collection = (prefix: string, plural: string, { identity }: ExportPaths): string =>
  `${prefix}/apis/${GROUP}/${VERSION}/${plural}${identity}`;

/** The same in the namespace that holds them. */
export const namespaced = ({ one, identity }: ExportPaths, plural: string): string =>
  `${one}/apis/${GROUP}/${VERSION}/namespaces/${NAMESPACE}/${plural}${identity}`;

/** A collection of a claimed resource of Kubernetes' core. */
export const claimed = ({ one }: ExportPaths, plural: string): string => `${one}/api/v1/namespaces/${NAMESPACE}/${plural}`;
