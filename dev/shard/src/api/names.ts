import { invalid } from '@kcp-vw/shared/kube/errors.ts';
import { labelKeyErrors, labelValueErrors } from '@kcp-vw/shared/kube/label-names.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceDefinition } from '../store/definition.ts';

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const SUBDOMAIN_SENTENCE = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;
const LABEL_SENTENCE = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`;

const tooLong = (name: string, limit: number): string[] => (name.length > limit ? [`must be no more than ${limit} bytes`] : []);

const fits = (name: string, pattern: string, sentence: string): string[] =>
  new RegExp(`^${pattern}$`).test(name) ? [] : [sentence];

/** RBAC's names may be anything that a path can hold. */
function pathSegmentErrors(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter(character => name.includes(character)).map(character => `may not contain '${character}'`);
}

function nameErrors({ group, resource }: ResourceDefinition, name: string): string[] {
  if (group === 'rbac.authorization.k8s.io') return pathSegmentErrors(name);
  if (group === '' && resource === 'namespaces') return [...tooLong(name, 63), ...fits(name, LABEL, LABEL_SENTENCE)];
  return [...tooLong(name, 253), ...fits(name, SUBDOMAIN, SUBDOMAIN_SENTENCE)];
}

/** Throws a StatusError 422 for a name or labels that Kubernetes has no room for. */
export function refuseInvalidMetadata(definition: ResourceDefinition, object: KubeObject): void {
  const { name = '', labels = {} } = object.metadata ?? {};
  const causes = [
    ...nameErrors(definition, name).map(detail => ({ field: 'metadata.name', value: name, detail })),
    ...Object.entries(labels ?? {}).flatMap(([key, value]) => [
      ...labelKeyErrors(key).map(detail => ({ field: 'metadata.labels', value: key, detail })),
      ...labelValueErrors(value).map(detail => ({ field: 'metadata.labels', value, detail })),
    ]),
  ];
  if (causes.length > 0) throw invalid(definition, name, causes);
}
