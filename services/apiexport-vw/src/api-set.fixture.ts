/** Test equipment: the API set of one export, in a world of given schemas and other exports. */
import { type ApiSet, apiSetOf } from './api-set.ts';
import { type ExportParts, exportAt, sourcesOf } from './apiexport.fixture.ts';
import type { ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';

export const KEY = { cluster: 'provider', name: 'cowboys.dev' };
export const AT = 'provider/cowboys.dev';

export interface World {
  readonly schemas?: readonly ApiResourceSchema[];
  readonly others?: readonly ApiExport[];
}

export function setOf(parts: ExportParts, { schemas = [], others = [] }: World = {}): ApiSet {
  const exported = exportAt(AT, parts);
  const set = apiSetOf(exported, sourcesOf([exported, ...others], schemas));
  if (set === undefined) throw new Error('the export has no API set');
  return set;
}

/** In discovery. */
export const listed = (set: ApiSet, name: string) => set.apis.filter(api => api.name === name);
