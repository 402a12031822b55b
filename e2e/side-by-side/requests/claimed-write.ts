/** One write of a claimed object. */
import type { Change, Row, UserName } from '../row.ts';

export const WRITES = '/clusters/{c1}/api/v1/namespaces/writes';
export const MERGE = 'application/merge-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';

const existing = (path: string, body: unknown): Change[] => [{ method: 'POST', path, body }];

export interface Part {
  readonly method: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly before?: unknown;
  readonly user?: UserName;
}

/** A write of one object of a collection; the object's name is `<id>-{copy}`. */
export const write = (name: string, collection: string, id: string, { before, query = '', ...rest }: Part): Row => {
  const path = rest.method === 'POST' ? collection : `${collection}/${id}-{copy}`;
  return {
    name,
    ...rest,
    path: path + query,
    ...(before !== undefined && { given: existing(collection, before) }),
    stored: `${collection}/${id}-{copy}`,
  };
};
