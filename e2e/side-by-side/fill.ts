/** Puts the names of the scenario into a row. */
import type { Outgoing } from './exchange.ts';
import { COMPLETE_WITHIN } from './exchange.ts';
import { Protobuf } from './protobuf-body.ts';
import type { Row } from './row.ts';
import type { Scenario } from './scenario/scenario.ts';

export type Fill = (text: string) => string;

/** Replaces `{name}` by what it stands for on the side of that number. Text in braces that is no name stays: JSON has braces, too. */
export function fillFor({ names, own }: Scenario, side: 0 | 1): Fill {
  return text =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      return own[name]?.[side] ?? names[name] ?? whole;
    });
}

/**
 * The names that a row takes and only this side has, and what stands for them; with `own`, all that begins with it (`ownPath`). In the
 * answers to other rows both sides' names are the same.
 */
export function ownNames(row: Row, { own }: Scenario, side: 0 | 1): ReadonlyMap<string, string> {
  const body = row.body instanceof Protobuf ? row.body.encode(plain => plain).toString() : row.body;
  const text = JSON.stringify([row.path, body ?? '', row.given ?? '', row.stored ?? '']);
  const taken = Object.keys(own).filter(name => text.includes(`{${name}}`));
  const found = Object.entries(own).filter(([name]) => taken.some(prefix => name.startsWith(prefix)));
  return new Map(found.map(([name, pair]) => [pair[side], `<${name}>`]));
}

export function encodeBody(body: unknown, fill: Fill): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Protobuf) return body.encode(fill);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(fill(typeof body === 'string' ? body : JSON.stringify(body)));
}

/** The request that a row stands for. Throws for a view or a name that the scenario does not have. */
export function outgoingOf(row: Row, scenario: Scenario, side: 0 | 1): Outgoing {
  const fill = fillFor(scenario, side);
  const { credentials, headers } = scenario.users[row.user ?? 'provider'];
  const prefix = scenario.views[row.view ?? 'wild'];
  if (prefix === undefined) throw new Error(`row ${row.name} names the view ${row.view}, which the scenario does not have`);
  const path = fill(prefix + row.path);
  if (/[{}]/.test(path)) throw new Error(`row ${row.name}: ${path} has a name that the scenario does not have`);
  const lines = {
    Accept: 'application/json',
    ...(credentials.token !== undefined && { Authorization: `Bearer ${credentials.token}` }),
    ...(row.body !== undefined && { 'Content-Type': row.contentType ?? 'application/json' }),
    ...headers,
    ...row.headers,
  };
  const filled = Object.entries(lines).flatMap(([name, value]) => {
    // A header that is set to nothing is not sent at all.
    if (value.length === 0) return [];
    return [[name, typeof value === 'string' ? fill(value) : [...value].map(fill)]];
  });
  return {
    method: row.method ?? 'GET',
    path,
    headers: Object.fromEntries(filled),
    body: encodeBody(row.body, fill),
    http2: row.http2 ?? false,
    readFor: row.readFor ?? COMPLETE_WITHIN,
  };
}
