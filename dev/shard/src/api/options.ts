import { badRequest, type StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Preconditions } from '../store/refusals.ts';
import { type FieldCause, invalidFields } from '../store/refusals.ts';
import { parseJson, readText } from './body.ts';
import type { ResourceCall } from './call.ts';
import { isObject } from './merge.ts';

type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

const refuse = (kind: OptionsKind, ...causes: FieldCause[]): StatusError =>
  invalidFields({ group: 'meta.k8s.io', kind }, '', causes);

/** Whether nothing is to be stored. Throws a StatusError 422 for values other than `All`. */
export function isDryRun(kind: OptionsKind, values: readonly unknown[]): boolean {
  const unknown = values.find(value => value !== 'All');
  if (unknown !== undefined) {
    const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
    throw refuse(kind, { reason: 'FieldValueNotSupported', field: 'dryRun', message });
  }
  return values.length > 0;
}

/** The rules about server-side apply (`ValidatePatchOptions`). */
export function refusePatchOptions(query: URLSearchParams, isApply: boolean): void {
  if (isApply && !query.get('fieldManager')) {
    throw refuse('PatchOptions', {
      reason: 'FieldValueRequired',
      field: 'fieldManager',
      message: 'Required value: is required for apply patch',
    });
  }
  if (!isApply && query.has('force')) {
    throw refuse('PatchOptions', {
      reason: 'FieldValueForbidden',
      field: 'force',
      message: 'Forbidden: may not be specified for non-apply patch',
    });
  }
}

export interface DeleteRequest {
  readonly dryRun: boolean;
  readonly preconditions: Preconditions;
}

/** `DeleteOptions`, from the body or, where there is none, from the query. */
export async function readDeleteOptions({ exchange, rest }: ResourceCall): Promise<DeleteRequest> {
  const text = await readText(exchange);
  if (text.trim() === '') return { dryRun: isDryRun('DeleteOptions', rest.query.getAll('dryRun')), preconditions: {} };
  const parsed = parseJson(text);
  if ('error' in parsed) throw badRequest(`couldn't get version/kind; json parse error: ${parsed.error}`);
  const { value } = parsed;
  if (!isObject(value) || (value.kind !== undefined && value.kind !== 'DeleteOptions')) {
    throw badRequest('the body of a deletion must be a DeleteOptions');
  }
  const preconditions = isObject(value.preconditions) ? value.preconditions : {};
  return {
    dryRun: isDryRun('DeleteOptions', [...(Array.isArray(value.dryRun) ? value.dryRun : []), ...rest.query.getAll('dryRun')]),
    preconditions: { uid: optionalText(preconditions.uid), resourceVersion: optionalText(preconditions.resourceVersion) },
  };
}

function optionalText(value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw badRequest('preconditions of a deletion are text');
}
