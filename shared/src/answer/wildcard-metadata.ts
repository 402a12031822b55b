import { createLineSplitter } from '../informer/watch-lines.ts';
import { internalError, notAcceptable, StatusError } from '../kube/errors.ts';
import { JSON_MEDIA_TYPE, type Negotiated, negotiate, OBJECT_OFFERS } from '../kube/media-type.ts';
import type { KubeList, KubeObject, WatchEvent } from '../kube/objects.ts';
import { type PartialOptions, partialObjectMetadata, partialObjectMetadataList } from '../kube/partial-metadata.ts';
import { headerValues, withoutHeaders } from '../listener/headers.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { Forward } from '../view/view.ts';
import { collect, parseMetadata, sendCollected } from './collect.ts';
import type { Execution } from './execution.ts';
import type { RelayOptions, RelayOutcome } from './relay.ts';
import { statusOf } from './relay.ts';
import { sendLargeObject } from './send.ts';
import { upstreamHeaders, upstreamPath } from './upstream-request.ts';

/**
 * A list or watch of all logical clusters for which a client also takes metadata only. It must not reach a shard of kcp like that: there
 * it is answered from the objects of all APIs of that name, whoever's they are, and the identity that is asked for counts for nothing
 * (`wildcard.partial-metadata` in kcp's pkg/server/apiextensions.go). So the objects are asked for, and reduced here.
 */
export interface WildcardMetadata {
  /** What the shard is asked for: never metadata. */
  readonly accept: string;
  /** What the client gets. */
  readonly form: Negotiated;
}

const METADATA = 'PartialObjectMetadata';

/** Undefined: the request may go to the shard as it is. Throws a StatusError 406. */
export function wildcardMetadata(
  { exchange, call }: Pick<Execution, 'exchange' | 'call'>,
  plan: Pick<Forward, 'cluster' | 'identity' | 'customKind'>,
): WildcardMetadata | undefined {
  const accept = headerValues(exchange.headers, 'accept').join(',');
  const isConcerned = plan.customKind !== undefined || plan.identity !== undefined;
  if (!isConcerned || (plan.cluster ?? call.scope.cluster) !== '*' || !accept.includes(METADATA)) return undefined;
  const form = negotiate(accept, OBJECT_OFFERS);
  const { as, mediaType } = form;
  if (as === undefined) return { accept: mediaType, form };
  if (as.kind === 'Table') return { accept: `${mediaType};as=Table;g=meta.k8s.io;v=${as.version}`, form };
  const isWatch = call.request.verb === 'watch';
  if (isWatch && mediaType !== JSON_MEDIA_TYPE) throw notAcceptable([`${JSON_MEDIA_TYPE};stream=watch`]);
  if (as.kind !== (isWatch ? METADATA : `${METADATA}List`)) throw notOfThatKind(as.kind);
  return { accept: JSON_MEDIA_TYPE, form };
}

/** In the words of k8s.io/apiserver (`asPartialObjectMetadata`). */
const notOfThatKind = (kind: string): StatusError =>
  new StatusError(
    'NotAcceptable',
    kind === METADATA
      ? 'you requested PartialObjectMetadata, but the requested object is a list (*unstructured.UnstructuredList)'
      : 'you requested PartialObjectMetadataList, but the requested object is not a list (*unstructured.Unstructured)',
  );

/** The client's headers with what the shard is to be asked for. Nothing is packed that is read here. */
export function acceptedHeaders(headers: readonly string[], { accept }: WildcardMetadata): string[] {
  const kept = withoutHeaders(headers, name => name === 'accept' || name === 'accept-encoding');
  return [...kept, 'accept', accept, 'accept-encoding', 'identity'];
}

export const isReduced = ({ form }: WildcardMetadata): boolean => form.as !== undefined && form.as.kind !== 'Table';

const optionsOf = ({ form }: WildcardMetadata): PartialOptions => ({ wildcard: true, version: form.as?.version ?? 'v1' });

/** Collects a list and answers with the metadata of it. */
export async function sendMetadataList(
  { exchange, shard, call, rest }: Execution,
  plan: Forward,
  metadata: WildcardMetadata,
  { decline, head }: RelayOptions,
): Promise<RelayOutcome> {
  try {
    const response = await collect(exchange, shard, {
      method: 'GET',
      path: upstreamPath(call, rest, plan),
      headers: acceptedHeaders(upstreamHeaders(exchange, plan), metadata),
      body: null,
      longRunning: false,
    });
    const { body, headers, status } = response;
    const outcome = { upstreamStatus: status };
    if (status >= 400 && decline?.(status, body.toString())) return { ...outcome, end: 'declined' };
    head?.(status, headers);
    if (status !== 200) sendCollected(exchange, response);
    else {
      const { items, metadata: page = {} } = parseMetadata(body, shard) as unknown as KubeList;
      // Custom resources say that there is no other page; their metadata does not.
      const { continue: token, ...lastPage } = page;
      const list = { items: items ?? [], metadata: token ? page : lastPage };
      const reduced = partialObjectMetadataList(list, optionsOf(metadata));
      await sendLargeObject(exchange, status, reduced, metadata.form.mediaType);
    }
    return { ...outcome, end: 'complete' };
  } catch (error) {
    throw error instanceof UpstreamError ? statusOf(error, shard) : error;
  }
}

/** Well above the largest object that a shard stores. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** Reduces the objects of a JSON watch stream, event by event; an error stays what it is. */
export function metadataEvents(metadata: WildcardMetadata): (chunk: Uint8Array) => string {
  let out = '';
  const splitter = createLineSplitter(MAX_EVENT_BYTES, line => {
    out += `${reduced(line, optionsOf(metadata))}\n`;
  });
  return chunk => {
    out = '';
    splitter.push(chunk);
    return out;
  };
}

function reduced(line: string, options: PartialOptions): string {
  const { object, type } = parseObjectEvent(line);
  if (type === 'ERROR') return line;
  // A bookmark is of no object whose version could be noted.
  const shown = partialObjectMetadata(object as KubeObject, type === 'BOOKMARK' ? { ...options, wildcard: false } : options);
  return JSON.stringify({ type, object: shown });
}

function parseObjectEvent(line: string): WatchEvent {
  try {
    return JSON.parse(line) as WatchEvent;
  } catch (cause) {
    throw internalError('the shard sent a watch event that is not JSON', cause);
  }
}
