import type { SyncedResource } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import type { Client } from './client.ts';
import { nameOf, type Resource, versionPath } from './resources.ts';

/** A resource of the physical cluster. */
export interface ServedResource extends Resource {
  readonly namespaced: boolean;
  /** This syncer may do everything with it. */
  readonly authorized: boolean;
}

interface Discovery {
  readonly resources?: readonly { readonly name: string; readonly namespaced: boolean }[];
}

/**
 * What the physical cluster makes of resources: each in the first version of it that is served. Those that are not served in any are
 * left out. Rejects if that cannot be found out.
 */
export async function discover(
  downstream: Client,
  resources: readonly Pick<SyncedResource, 'group' | 'resource' | 'versions'>[],
): Promise<readonly ServedResource[]> {
  const documents = new Map<string, Promise<Discovery | undefined>>();
  const documentOf = (path: string): Promise<Discovery | undefined> => {
    const document = documents.get(path) ?? downstream.find<Discovery>(path);
    documents.set(path, document);
    return document;
  };

  async function served({ group = '', resource, versions }: Pick<SyncedResource, 'group' | 'resource' | 'versions'>) {
    for (const version of versions) {
      const document = await documentOf(versionPath({ group, version }));
      const found = document?.resources?.find(({ name }) => name === resource);
      if (found) return { group, version, resource, namespaced: found.namespaced };
    }
    return undefined;
  }

  const found = new Map<string, ServedResource>();
  for (const one of resources) {
    const resource = found.has(nameOf({ group: one.group ?? '', resource: one.resource })) ? undefined : await served(one);
    if (resource) found.set(nameOf(resource), { ...resource, authorized: await isAuthorized(downstream, resource) });
  }
  return [...found.values()];
}

async function isAuthorized(downstream: Client, { group, version, resource }: Resource): Promise<boolean> {
  const review = await downstream.send<{ status?: { allowed?: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { group, version, resource, verb: '*' } },
    },
  );
  return review.status?.allowed === true;
}
