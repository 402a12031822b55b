import { setImmediate as nextTurn } from 'node:timers/promises';
import { internalError } from '../kube/errors.ts';
import { parseExact } from '../kube/json-exact.ts';
import type { KubeObject, ListMeta } from '../kube/objects.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Transform } from '../view/view.ts';
import { type CollectedResponse, sendCompressed } from './collect.ts';
import type { Execution } from './execution.ts';
import type { Representation } from './serve-representation.ts';
import { withoutRemaining } from './transform-document.ts';
import { splitListText } from './transform-list-text.ts';
import { orLeftOut, type See } from './transform-seen.ts';

type Listing = Pick<Execution, 'exchange' | 'shard'>;

/** Answers with the items of a list that the caller sees. One that `plan.object` returns as it was is sent in the shard's bytes. */
export async function sendVisibleList(
  { exchange, shard }: Listing,
  plan: Transform,
  response: CollectedResponse,
  made: Representation | undefined,
): Promise<void> {
  const { envelope, items } = split(response.body, shard);
  const list = { ...envelope, ...withoutRemaining(envelope) };
  // `reads: 'metadata'` changes nothing: no number is printed again.
  const parse = plan.reads === 'object' ? parseExact : (text: string): unknown => JSON.parse(text);
  const shown = <T>(show: Show<T>) => eachSeen({ exchange, shard }, items, { parse, see: plan.object, show });
  // What the shard indents is for people to read.
  const isIndented = response.body[1] === LINE_FEED;
  const body = made
    ? Buffer.from([...made.list(await shown(object => object), list.metadata as ListMeta)].join(''))
    : isIndented
      ? Buffer.from(`${JSON.stringify({ ...list, items: await shown(object => object) }, null, 2)}\n`)
      : joined(list, await shown((object, text, isChanged) => (isChanged ? Buffer.from(JSON.stringify(object)) : text)));
  if (exchange.closed) return;
  const headers = made ? ['cache-control', 'no-cache, private', 'content-type', made.mediaType] : response.headers;
  await sendCompressed(exchange, { ...response, headers, body });
}

const LINE_FEED = 0x0a;

function split(body: Buffer, shard: Upstream): ReturnType<typeof splitListText> {
  try {
    return splitListText(body);
  } catch (cause) {
    throw notJson(shard, cause);
  }
}

const notJson = (shard: Upstream, cause: unknown): Error =>
  internalError(`${shard.name} answered with something that is not JSON`, cause);

type Show<T> = (object: KubeObject, text: Buffer, isChanged: boolean) => T;

interface Seeing<T> {
  readonly parse: (text: string) => unknown;
  readonly see: See;
  readonly show: Show<T>;
}

/** What is read before others have their turn, in bytes: some milliseconds. */
const TURN_BYTES = 1024 * 1024;

async function eachSeen<T>({ exchange, shard }: Listing, items: readonly Buffer[], seeing: Seeing<T>): Promise<T[]> {
  const shown: T[] = [];
  let read = 0;
  for (const text of items) {
    if (read > TURN_BYTES) {
      await nextTurn();
      read = 0;
      if (exchange.closed) return [];
    }
    read += text.length;
    try {
      const one = orLeftOut(() => seenOne(text, seeing));
      if (one !== undefined) shown.push(one.shown);
    } catch (error) {
      throw error instanceof SyntaxError ? notJson(shard, error) : error;
    }
  }
  return shown;
}

/** Reading and printing may fail for one object, too. */
function seenOne<T>(text: Buffer, { parse, see, show }: Seeing<T>): { readonly shown: T } | undefined {
  const object = parse(text.toString()) as KubeObject;
  const seen = see(object);
  return seen && { shown: show(seen, text, seen !== object) };
}

const COMMA = Buffer.from(',');

/** The text of a list. */
function joined(list: KubeObject, items: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`${JSON.stringify(list).slice(0, -1)},"items":[`)];
  for (const [index, item] of items.entries()) {
    if (index > 0) pieces.push(COMMA);
    pieces.push(item);
  }
  return Buffer.concat([...pieces, Buffer.from(']}\n')]);
}
