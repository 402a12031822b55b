import { describe, expect, test } from '@jest/globals';
import { ask, THING, THINGS, thing, thingShard, trail } from './guarded.fixture.ts';

const PROTOBUF = ['content-type', 'application/vnd.kubernetes.protobuf'];
const TYPES = 'accepted media types include: application/json, application/yaml';

/** Asks for a custom resource, or for a built-in one, without any condition. */
async function send(method: string, path: string, headers: readonly string[], { custom = true } = {}) {
  const shard = thingShard();
  const exchange = await ask(shard, {}, method, path, { headers, body: thing(), ...(!custom && { identity: '' }) });
  return { shard, status: exchange.status, text: exchange.text };
}

describe('a write to a custom resource', () => {
  // A kcp shard panics over protobuf there and breaks the connection: the client got a 502.
  test.each([
    ['POST', THINGS],
    ['PUT', THING],
    ['PUT', `${THING}/status`],
  ])('%s %s in protobuf is refused before the shard has it', async (method, path) => {
    const { shard, status, text } = await send(method, path, PROTOBUF);
    expect([status, trail(shard)]).toEqual([415, []]);
    expect(text).toContain(TYPES);
  });

  test.each([[['content-type', 'Application/JSON; charset=utf-8']], [['content-type', 'application/yaml']], [[]]])(
    'with the header %j goes to the shard',
    async headers => {
      expect(trail((await send('POST', THINGS, headers)).shard)).toHaveLength(1);
    },
  );

  test.each(['application/strategic-merge-patch+json', 'application/json', ''])('is no patch of the type "%s"', async type => {
    const { shard, status, text } = await send('PATCH', THING, type === '' ? [] : ['content-type', type]);
    expect([status, trail(shard)]).toEqual([415, []]);
    expect(text).toContain('application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"');
  });
});

test('what is built in takes what the shard takes', async () => {
  expect(trail((await send('POST', THINGS, PROTOBUF, { custom: false })).shard)).toHaveLength(1);
});
