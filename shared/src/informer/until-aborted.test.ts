import { describe, expect, test } from '@jest/globals';
import { requestJson } from '../upstream/json.ts';
import { ScriptedUpstream } from './scripted.fixture.ts';
import { untilAborted } from './until-aborted.ts';

function setUp() {
  const upstream = new ScriptedUpstream();
  const controller = new AbortController();
  const bounded = untilAborted(upstream, controller.signal);
  return { upstream, controller, get: () => requestJson(bounded, { method: 'GET', path: '/' }) };
}

describe('an upstream bound to a signal', () => {
  test('answers as the upstream does', async () => {
    const { upstream, get } = setUp();
    const answer = get();
    (await upstream.next()).json(200, { a: 1 });
    expect((await answer).body).toEqual({ a: 1 });
  });

  test('fails as the upstream does', async () => {
    const { upstream, get } = setUp();
    const answer = get();
    const call = await upstream.next();
    const failed = expect(answer).rejects.toMatchObject({ failure: 'unreachable' });
    call.fail('unreachable');
    await failed;
  });

  test('gives a request up when the signal is aborted, and says so to who waits', async () => {
    const { upstream, controller, get } = setUp();
    const answer = get();
    const call = await upstream.next();
    const failed = expect(answer).rejects.toThrow('the request to https://shard was given up');
    controller.abort();
    await failed;
    expect(call.aborted).toBe(true);
  });

  test('does not touch a request that is over', async () => {
    const { upstream, controller, get } = setUp();
    const answer = get();
    const call = await upstream.next();
    call.json(200, {});
    await answer;
    controller.abort();
    expect(call.aborted).toBe(false);
  });
});
