import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceDefinition, Write } from '../store/definition.ts';
import type { Reader } from './loopback.ts';
import { claimLabelsFor, withClaimLabels } from './permission-claims.ts';

/** Whatever is created or updated gets the labels of the claims that are accepted where it is, and loses those that nobody has. */
export function admitClaimLabels(objects: Reader, definition: ResourceDefinition, object: KubeObject, write: Write): KubeObject {
  const { verb, subresource, cluster } = write;
  if (verb === 'delete' || subresource !== '') return object;
  const { name = '', labels = {} } = object.metadata ?? {};
  const wanted = withClaimLabels(labels, claimLabelsFor(objects, { cluster, of: definition, name, labels }));
  return wanted === labels ? object : { ...object, metadata: { ...object.metadata, labels: wanted } };
}
