import { load } from 'js-yaml';

/**
 * The `metadata.uid` that a patch sets: the object it is meant for. Undefined when it names none, and for a patch that cannot be read,
 * which is the shard's to refuse.
 */
export function patchedUid(contentType: string, body: Buffer): string | undefined {
  const patch = parse(contentType, body.toString());
  if (Array.isArray(patch)) {
    const sets = patch.filter(
      operation => isRecord(operation) && SETTING.includes(operation.op) && operation.path === '/metadata/uid',
    );
    return text((sets.at(-1) as Record<string, unknown> | undefined)?.value);
  }
  const metadata = isRecord(patch) ? patch.metadata : undefined;
  return isRecord(metadata) ? text(metadata.uid) : undefined;
}

/** JSON patch operations that give a value. A `test` is the shard's to make. */
const SETTING: readonly unknown[] = ['add', 'replace'];

function parse(contentType: string, body: string): unknown {
  try {
    return contentType.startsWith('application/apply-patch+yaml') ? load(body) : JSON.parse(body);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
