import type { StatusError } from '../kube/errors.ts';
import {
  JSON_MEDIA_TYPE,
  type MediaTransform,
  negotiate,
  type Offer,
  type TransformKind,
  YAML_MEDIA_TYPE,
} from '../kube/media-type.ts';
import type { KubeObject, ListMeta } from '../kube/objects.ts';
import { partialObjectMetadata, partialObjectMetadataList } from '../kube/partial-metadata.ts';
import { wantsPretty } from '../kube/pretty.ts';
import { type IncludeObject, parseIncludeObject, type TableOptions, toTable } from '../kube/table.ts';
import { printYaml } from '../kube/yaml-print.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, headerValues } from '../listener/headers.ts';
import type { CollectionDefinition } from '../view/collection.ts';
import { createObjectTexts } from './object-texts.ts';

/** How a client wants to see a collection: plain, as a Table, or as metadata only. */
export interface Representation {
  readonly mediaType: string;
  object(object: KubeObject): string;
  /** A Status, which is never turned into anything else. */
  status(status: object): string;
  /** In pieces, made as they are taken: a long list never exists as one string. */
  list(items: readonly KubeObject[], metadata: ListMeta): Iterable<string>;
  /** One line of a watch. A Table has its columns on the first one only. */
  event(type: string, object: KubeObject): string;
  /** The line that ends a watch; its Status is never turned into anything else. */
  error(error: StatusError): string;
}

/** What each verb can be answered as: a list is no PartialObjectMetadata, and a single object no list of them. */
const TRANSFORMS: Readonly<Record<'get' | 'list' | 'watch', readonly TransformKind[]>> = {
  get: ['Table', 'PartialObjectMetadata'],
  list: ['Table', 'PartialObjectMetadataList'],
  watch: ['Table', 'PartialObjectMetadata'],
};

/** No watch is in YAML. */
const offers = (verb: 'get' | 'list' | 'watch'): Offer[] =>
  (verb === 'watch' ? [JSON_MEDIA_TYPE] : [JSON_MEDIA_TYPE, YAML_MEDIA_TYPE]).map(mediaType => ({
    mediaType,
    as: TRANSFORMS[verb],
  }));

/** Throws a StatusError 406 for an Accept header that nothing here satisfies. */
export function represent(
  exchange: Exchange,
  verb: 'get' | 'list' | 'watch',
  query: URLSearchParams,
  collection: CollectionDefinition,
): Representation {
  const accept = headerValues(exchange.headers, 'accept').join(',');
  const { mediaType, as, pretty } = negotiate(accept || undefined, offers(verb));
  const indent = pretty || wantsPretty(headerValue(exchange.headers, 'user-agent'), query) ? 2 : undefined;
  const isYaml = mediaType === YAML_MEDIA_TYPE;
  const print = (document: unknown): string => (isYaml ? printYaml(document) : `${JSON.stringify(document, null, indent)}\n`);
  const shapes = shapesOf(collection, as, as?.kind === 'Table' ? parseIncludeObject(query.get('includeObject')) : 'Metadata');
  let events = 0;
  return {
    mediaType,
    object: object => print(shapes.object(object, true)),
    status: print,
    *list(items, metadata) {
      if (as === undefined && indent === undefined && !isYaml) yield* itemByItem(collection, items, metadata, shapes);
      else yield print(shapes.list(items, metadata));
    },
    // Never indented: an event is a line.
    event(type, object) {
      const shape = shapes.object(object, events++ === 0);
      return `{"type":"${type}","object":${shape === object ? textOf(object) : JSON.stringify(shape)}}\n`;
    },
    error: errorEvent,
  };
}

/** The last words of a watch, in whatever form. */
export const errorEvent = ({ status }: StatusError): string => `${JSON.stringify({ type: 'ERROR', object: status })}\n`;

interface Shapes {
  object(object: KubeObject, first: boolean): unknown;
  list(items: readonly KubeObject[], metadata: ListMeta): unknown;
}

function shapesOf(
  { apiVersion, kind, columns }: CollectionDefinition,
  as: MediaTransform | undefined,
  includeObject: IncludeObject,
): Shapes {
  const typed = (object: KubeObject): KubeObject =>
    object.apiVersion !== undefined && object.kind !== undefined ? object : { ...object, apiVersion, kind };
  if (as === undefined) {
    return { object: typed, list: (items, metadata) => ({ apiVersion, kind: `${kind}List`, metadata, items: items.map(typed) }) };
  }
  const { version } = as;
  if (as.kind === 'Table') {
    const table = (items: readonly KubeObject[], metadata: ListMeta, headers: boolean): unknown => {
      const options: TableOptions = { ...metadata, now: Date.now(), includeObject, headers, version };
      return toTable(items.map(typed), columns, options);
    };
    return {
      object: (object, first) => {
        const { resourceVersion } = object.metadata ?? {};
        return table([object], resourceVersion === undefined ? {} : { resourceVersion }, first);
      },
      list: (items, metadata) => table(items, metadata, true),
    };
  }
  return {
    object: object => partialObjectMetadata(object, { version }),
    list: (items, metadata) => partialObjectMetadataList({ metadata, items: [...items] }, { version }),
  };
}

/** What many are shown as it is. */
const textOf = createObjectTexts();

function* itemByItem(
  collection: CollectionDefinition,
  items: readonly KubeObject[],
  metadata: ListMeta,
  shapes: Shapes,
): Iterable<string> {
  const head = JSON.stringify({ apiVersion: collection.apiVersion, kind: `${collection.kind}List`, metadata });
  yield `${head.slice(0, -1)},"items":[`;
  let comma = '';
  for (const item of items) {
    const shape = shapes.object(item, false);
    yield `${comma}${shape === item ? textOf(item) : JSON.stringify(shape)}`;
    comma = ',';
  }
  yield ']}\n';
}
