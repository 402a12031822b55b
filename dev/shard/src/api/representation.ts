import { represent, type Representation as Shaped } from '@kcp-vw/shared/answer/serve-representation.ts';
import { JSON_MEDIA_TYPE, negotiate, type TransformKind } from '@kcp-vw/shared/kube/media-type.ts';
import type { KubeObject, ListMeta } from '@kcp-vw/shared/kube/objects.ts';
import { headerValue, headerValues } from '@kcp-vw/shared/listener/headers.ts';
import type { ResourceCall } from './call.ts';
import { collectionOf, inVersion, jsonInVersion, withOriginalVersion } from './collection.ts';

type Shape = 'get' | 'list' | 'watch';

const TRANSFORMS: Readonly<Record<Shape, readonly TransformKind[]>> = {
  get: ['Table', 'PartialObjectMetadata'],
  list: ['Table', 'PartialObjectMetadataList'],
  watch: ['Table', 'PartialObjectMetadata'],
};

/** How the caller wants to see objects. Stored objects in plain JSON are not serialized again. */
export type Representation = Pick<Shaped, 'mediaType' | 'object' | 'event' | 'error'> & {
  list(items: readonly KubeObject[], metadata: ListMeta): Buffer;
};

/** Throws a StatusError 406 when nothing that is served here satisfies the Accept header. */
export function representationOf(call: ResourceCall, shape: Shape): Representation {
  const { exchange, rest, definition, apiVersion, store } = call;
  const shaped = represent(exchange, shape, rest.query, collectionOf(store, definition, apiVersion, call));
  const { as } = negotiate(headerValues(exchange.headers, 'accept').join(',') || undefined, [
    { mediaType: JSON_MEDIA_TYPE, as: TRANSFORMS[shape] },
  ]);
  if (as === undefined && !mayBePretty(call)) return plain(call, shaped);
  const isPartialOfAll = call.cluster === '*' && as !== undefined && as.kind !== 'Table';
  const prepared = (object: KubeObject): KubeObject =>
    isPartialOfAll ? withOriginalVersion(inVersion(definition, object, apiVersion)) : inVersion(definition, object, apiVersion);
  return {
    mediaType: shaped.mediaType,
    object: object => shaped.object(prepared(object)),
    list: (items, metadata) => Buffer.from([...shaped.list(items.map(prepared), metadata)].join('')),
    // A bookmark is no object that could be asked for.
    event: (type, object) => shaped.event(type, type === 'BOOKMARK' ? object : prepared(object)),
    error: shaped.error,
  };
}

function plain({ definition, apiVersion }: ResourceCall, { mediaType, error }: Shaped): Representation {
  return {
    mediaType,
    object: object => `${jsonInVersion(definition, object, apiVersion)}\n`,
    list(items, metadata) {
      const head = JSON.stringify({ kind: `${definition.kind}List`, apiVersion, metadata }).slice(0, -1);
      return Buffer.from(`${head},"items":[${items.map(item => jsonInVersion(definition, item, apiVersion)).join(',')}]}\n`);
    },
    event: (type, object) => `{"type":"${type}","object":${jsonInVersion(definition, object, apiVersion)}}\n`,
    error,
  };
}

/** Those who read answers on a terminal may get them indented; they need not be fast. */
function mayBePretty({ exchange, rest }: ResourceCall): boolean {
  const accept = headerValue(exchange.headers, 'accept') ?? '';
  const agent = headerValue(exchange.headers, 'user-agent') ?? '';
  return rest.query.has('pretty') || accept.includes('pretty') || /^(curl|Wget|Mozilla)/.test(agent);
}
