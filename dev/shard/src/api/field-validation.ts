import { badRequest } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceCall } from './call.ts';

/**
 * Headers that warn of fields in a body which the schema does not know and the store will not keep. Throws a StatusError 400 where the
 * caller wants to be strict, and says nothing where he does not want to know.
 */
export function unknownFieldWarnings({ definition, rest, apiVersion }: ResourceCall, given: KubeObject): readonly string[] {
  const mode = rest.query.get('fieldValidation') || 'Warn';
  const fields = mode === 'Ignore' ? [] : (definition.unknownFields?.(given) ?? []);
  if (fields.length === 0) return [];
  const texts = fields.map(field => `unknown field ${JSON.stringify(field)}`);
  if (mode === 'Strict') {
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
    const { kind } = definition;
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${texts.join(', ')}`,
    );
  }
  return texts.flatMap(text => ['warning', `299 - ${JSON.stringify(text)}`]);
}
