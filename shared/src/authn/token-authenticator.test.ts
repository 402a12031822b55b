import { describe, expect, it } from '@jest/globals';
import { serviceUnavailable, unauthorized } from '../kube/errors.ts';
import { identity } from './identity.ts';
import { firstToKnow, MAX_TOKEN_BYTES, type TokenAuthenticator } from './token-authenticator.ts';

const refusal = (code: number) => expect.objectContaining({ code });

/** Knows one token, and counts what it is asked. */
function knowing(token: string, name: string): TokenAuthenticator & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async authenticate(given) {
      asked.push(given);
      return given === token ? identity(name, []) : undefined;
    },
  };
}

const failing = (error: Error): TokenAuthenticator => ({ authenticate: () => Promise.reject(error) });

describe('several ways to know a token', () => {
  it('are asked in their order, until one knows it', async () => {
    const [first, second, third] = [knowing('a', 'jane'), knowing('b', 'joe'), knowing('b', 'admin')];
    expect(await firstToKnow([first, second, third])('b')).toMatchObject({ name: 'joe' });
    expect([first.asked, second.asked, third.asked]).toEqual([['b'], ['b'], []]);
  });

  it('end with 401 when none knows it', async () => {
    await expect(firstToKnow([knowing('a', 'jane')])('b')).rejects.toEqual(refusal(401));
    await expect(firstToKnow([])('b')).rejects.toEqual(refusal(401));
  });

  // The token of an account that has been deleted, to an authenticator that asks nobody.
  it.each([
    [unauthorized(), 401],
    [serviceUnavailable('down'), 503],
  ])('end with a refusal, whatever the next one would say: %s', async (error, code) => {
    const next = knowing('a', 'jane');
    await expect(firstToKnow([failing(error), next])('a')).rejects.toEqual(refusal(code));
    expect(next.asked).toEqual([]);
  });

  it('take nobody without a name', async () => {
    await expect(firstToKnow([knowing('a', '')])('a')).rejects.toEqual(refusal(401));
  });

  it('are not asked for what is no token', async () => {
    const one = knowing('a', 'jane');
    for (const token of ['', 'a b', 'a\n', 'ü', 'a'.repeat(MAX_TOKEN_BYTES + 1)]) {
      await expect(firstToKnow([one])(token)).rejects.toEqual(refusal(401));
    }
    expect(one.asked).toEqual([]);
  });
});
