import type { KubeObject } from '../kube/objects.ts';

/** The JSON of a list, taken apart. */
export interface ListText {
  /** All but its items. */
  readonly envelope: KubeObject;
  /** The text of each item. */
  readonly items: readonly Buffer[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const LEFT_BRACKET = 0x5b;
const RIGHT_BRACKET = 0x5d;
const LEFT_BRACE = 0x7b;
const RIGHT_BRACE = 0x7d;

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Finds the items of a list by its brackets and strings, without parsing them: what is shown as it came is never printed again, and one
 * item's large numbers cost that item only. Throws a SyntaxError where what is left is no JSON; items are not looked at.
 */
export function splitListText(body: Buffer): ListText {
  let depth = 0;
  let key = '';
  let start = 0;
  let commas: number[] | undefined;
  let found: { readonly start: number; readonly end: number; readonly commas: readonly number[] } | undefined;
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case QUOTE: {
        const end = endOfString(body, at);
        if (depth === 1) key = isKey(body, end) ? body.toString('utf8', at + 1, end) : '';
        at = end;
        break;
      }
      case LEFT_BRACKET:
        if (++depth === 2 && key === 'items') [start, commas] = [at, []];
        break;
      case LEFT_BRACE:
        depth += 1;
        break;
      case RIGHT_BRACKET:
      case RIGHT_BRACE:
        if (--depth === 1 && commas !== undefined) [found, commas] = [{ start, end: at, commas }, undefined];
        break;
      case COMMA:
        if (depth === 2) commas?.push(at);
        break;
      default:
    }
  }
  if (found === undefined) return { envelope: withoutItems(JSON.parse(body.toString())), items: [] };
  const rest = `${body.toString('utf8', 0, found.start + 1)}${body.toString('utf8', found.end)}`;
  return { envelope: withoutItems(JSON.parse(rest)), items: itemsBetween(body, found) };
}

/** Where the quote is that ends the string which begins at `start`, or the end of the text. */
function endOfString(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return body.length;
}

function isKey(body: Buffer, end: number): boolean {
  let at = end + 1;
  while (isSpace(body[at])) at += 1;
  return body[at] === COLON;
}

function itemsBetween(
  body: Buffer,
  { start, end, commas }: { readonly start: number; readonly end: number; readonly commas: readonly number[] },
): readonly Buffer[] {
  const ends = [...commas, end];
  const items = ends.map((to, index) => body.subarray((index === 0 ? start : (ends[index - 1] as number)) + 1, to));
  return items.length === 1 && items[0]?.every(isSpace) ? [] : items;
}

function withoutItems({ items: _, ...envelope }: KubeObject): KubeObject {
  return envelope;
}
