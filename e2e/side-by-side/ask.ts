/** Sends a row to both sides. */
import { setTimeout as sleep } from 'node:timers/promises';
import { atShard, masters } from '../support/identities.ts';
import type { Connection, Incoming, Outgoing } from './exchange.ts';
import { type Fill, fillFor, outgoingOf, ownNames } from './fill.ts';
import { type Answer, type NormaliseOptions, normalise } from './normalise.ts';
import type { Change, Row } from './row.ts';
import type { Scenario } from './scenario/scenario.ts';
import type { Connections } from './sides.ts';

/** Until both watches are open and have sent what there was. */
const OPEN_AFTER = 700;

const shard = atShard(masters);

/** Lists here are short; one that goes on and on is different, not endless. */
const MAX_PAGES = 20;

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Asks the first side, then the second; both at once where the request changes nothing. */
export class Asker {
  readonly #scenario: Scenario;
  readonly #connections: readonly [Connections, Connections];

  constructor(scenario: Scenario, connections: readonly [Connections, Connections]) {
    this.#scenario = scenario;
    this.#connections = connections;
  }

  async ask(row: Row): Promise<readonly [Answer, Answer]> {
    if (!SAFE.has(row.method ?? 'GET') || row.given !== undefined)
      return [await this.#askSide(row, 0), await this.#askSide(row, 1)];
    const answers = [this.#askSide(row, 0), this.#askSide(row, 1)] as const;
    if (row.during !== undefined) {
      await sleep(OPEN_AFTER);
      await change(row.during, fillFor(this.#scenario, 0));
    }
    return Promise.all(answers);
  }

  async #askSide(row: Row, side: 0 | 1): Promise<Answer> {
    const fill = fillFor(this.#scenario, side);
    const options = {
      own: ownNames(row, this.#scenario, side),
      unordered: row.unordered ?? false,
      isWatch: row.readFor !== undefined,
      layout: row.layout ?? false,
    };
    await change(row.given ?? [], fill);
    const outgoing = outgoingOf(row, this.#scenario, side);
    const connection = this.#connections[side].of(row.user ?? 'provider');
    const incoming = await connection.send(outgoing).catch(noAnswer);
    const answer = {
      ...normalise(incoming, options),
      ...(row.pages && { further: await furtherPages(connection, outgoing, incoming, options) }),
    };
    if (row.stored === undefined) return answer;
    const { headers, status, text } = await shard.get(fill(row.stored));
    const stored = normalise({ status, headers, body: Buffer.from(text), end: 'complete' }, options);
    return { ...answer, stored: { status: stored.status, body: stored.body } };
  }
}

/** The answers to the requests for the pages after the first. */
async function furtherPages(
  connection: Connection,
  first: Outgoing,
  incoming: Incoming,
  options: NormaliseOptions,
): Promise<Answer[]> {
  const pages: Answer[] = [];
  for (let token = tokenIn(incoming); token !== undefined && pages.length < MAX_PAGES; ) {
    const page = await connection.send({ ...first, path: `${first.path}&continue=${encodeURIComponent(token)}` });
    pages.push(normalise(page, options));
    token = tokenIn(page);
  }
  return pages;
}

function tokenIn({ body, status }: Incoming): string | undefined {
  if (status !== 200) return undefined;
  const { metadata } = JSON.parse(body.toString()) as { metadata?: { continue?: string } };
  return metadata?.continue || undefined;
}

/** A connection that is cut instead of answered is an answer, too. */
function noAnswer(error: unknown): Incoming {
  const why = error instanceof Error ? error.message : String(error);
  return { status: 0, headers: {}, body: Buffer.from(`no answer: ${why}`), end: 'cut' };
}

async function change(changes: readonly Change[], fill: Fill): Promise<void> {
  for (const { body, method, path } of changes) {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const filled = body === undefined ? {} : { body: fill(JSON.stringify(body)), contentType };
    (await shard.send(method, fill(path), filled)).expect(200, 201);
  }
}
