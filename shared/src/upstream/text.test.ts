import { expect, test } from '@jest/globals';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { requestText } from './text.ts';

// Whoever registers a service may let it answer a question about its health without end.
test('an answer that is longer than it may be is given up, and its call with it', async () => {
  const upstream = fakeUpstream(() => ({ body: 'x'.repeat(1_000), open: true }));
  const asked = requestText(upstream, { method: 'GET', path: '/', maxBytes: 100 });
  await expect(asked).rejects.toMatchObject({ name: 'UpstreamError', failure: 'reset' });
  expect(upstream.requests[0]?.aborted).toBe(true);
  expect(
    (
      await requestText(
        fakeUpstream(() => ({ body: 'x' })),
        { method: 'GET', path: '/', maxBytes: 1 },
      )
    ).body,
  ).toBe('x');
});

test('an exchange that is not wanted any more is given up', async () => {
  const upstream = fakeUpstream(() => ({ body: 'x', open: true }));
  const stop = new AbortController();
  const asked = requestText(upstream, { method: 'GET', path: '/', signal: stop.signal });
  await new Promise(resolve => setTimeout(resolve, 10));
  stop.abort();
  await expect(asked).rejects.toMatchObject({ failure: 'reset' });
  expect(upstream.requests[0]?.aborted).toBe(true);
});
