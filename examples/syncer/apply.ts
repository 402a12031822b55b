import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { APPLY_PATCH, type Client, isRefused } from './client.ts';
import { collectionPath, objectPath, type Resource } from './resources.ts';

export type Apply = (resource: Resource, object: KubeObject) => Promise<void>;

const MANAGER = 'syncer';

/**
 * Brings about that an object is downstream as it is given, whatever others have made of it: by server-side apply, under which fields that
 * nobody asks for any more go and those that the server has filled in stay.
 */
export function createApply(client: Client): Apply {
  let isSupported = true;
  return async (resource, object) => {
    const { namespace = '', name = '' } = object.metadata ?? {};
    const path = objectPath(resource, namespace, name);
    if (isSupported) {
      try {
        return void (await client.send('PATCH', `${path}?fieldManager=${MANAGER}&force=true`, object, APPLY_PATCH));
      } catch (error) {
        if (!isRefused(error, 415)) throw error;
        isSupported = false;
      }
    }
    await replace(client, resource, object, path);
  };
}

/** For servers that know no apply: what is written is the whole object, so fields that the server has filled in are asked of it anew. */
async function replace(client: Client, resource: Resource, object: KubeObject, path: string): Promise<void> {
  const present = await client.find<KubeObject>(path);
  if (present === undefined) {
    const { namespace = '' } = object.metadata ?? {};
    return void (await client.send('POST', `${collectionPath(resource, namespace)}?fieldManager=${MANAGER}`, object));
  }
  const { status } = present;
  const metadata = { ...present.metadata, ...merged(present.metadata, object.metadata) };
  await client.send('PUT', `${path}?fieldManager=${MANAGER}`, { ...object, metadata, ...(status !== undefined && { status }) });
}

/** The server's own names stay, since nobody else may take them away. */
function merged(present: ObjectMeta = {}, wanted: ObjectMeta = {}): Pick<ObjectMeta, 'labels' | 'annotations'> {
  const kept = (map: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(map).filter(([name]) => /(^|\.)(kcp|k8s|kubernetes)\.io\//.test(name)));
  return {
    labels: { ...kept(present.labels), ...wanted.labels },
    annotations: { ...kept(present.annotations), ...wanted.annotations },
  };
}
