import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { headerValues } from '../listener/headers.ts';
import { bearerFromSubprotocols } from './subprotocol-bearer.ts';

const PREFIX = 'base64url.bearer.authorization.k8s.io.';
const encoded = (token: string): string => `${PREFIX}${Buffer.from(token).toString('base64url')}`;
const offering = (...values: string[]): string[] => ['Host', 'a', ...values.flatMap(value => ['Sec-WebSocket-Protocol', value])];
const results = (headers: readonly string[]) => {
  const changed = bearerFromSubprotocols(headers);
  return [headerValues(changed, 'authorization'), headerValues(changed, 'sec-websocket-protocol')];
};

describe('a token among the subprotocols', () => {
  test.each([
    ['before the others', [`${encoded('t0ken')}, v4.channel.k8s.io`]],
    ['behind the others', [`v4.channel.k8s.io,${encoded('t0ken')}`]],
    ['in a header of its own', [encoded('t0ken'), 'v4.channel.k8s.io']],
  ])('%s becomes an Authorization and is offered to nobody', (_name, values) => {
    expect(results(offering(...values))).toEqual([['Bearer t0ken'], ['v4.channel.k8s.io']]);
  });

  test('leaves the other subprotocols in their order', () => {
    expect(results(offering(`a, ${encoded('t')}`, 'b,c'))[1]).toEqual(['a, b, c']);
  });

  // Kubernetes looks at Authorization first.
  test('counts for nothing beside a bearer token, and is taken away all the same', () => {
    expect(results([...offering(`a, ${encoded('t')}`), 'authorization', 'Bearer other'])).toEqual([['Bearer other'], ['a']]);
  });

  test.each(['Basic YTpi', 'Bearer', 'Bearer  twice'])('takes the place of %j, which is no credential', value => {
    expect(results([...offering(`a, ${encoded('t')}`), 'Authorization', value])[0]).toEqual(['Bearer t']);
  });

  test('that is empty is none, and is taken away', () => {
    expect(results(offering(`a, ${PREFIX}`))).toEqual([[], ['a']]);
    expect(results(offering(PREFIX))).toEqual([[], []]);
  });

  test.each([
    ['twice', `a, ${encoded('t')}, ${encoded('u')}`],
    // A client that gets no subprotocol it has offered closes the connection, so that one has to be left to choose.
    ['alone', encoded('t')],
    ['beside nothing', `${encoded('t')}, ,`],
    ['with padding', `a, ${PREFIX}dA==`],
    ['in the alphabet of base64', `a, ${PREFIX}a+/b`],
    ['of a length that nothing has', `a, ${PREFIX}abcde`],
    // Behind a space would stand what no reader of the header sees, and a line break would begin another header.
    ['with a space', `a, ${encoded('t u')}`],
    ['with a line break', `a, ${encoded('t\r\nX-Remote-User: admin')}`],
    ['that is no text', `a, ${PREFIX}${Buffer.from([0xff, 0xfe]).toString('base64url')}`],
    ['that is text of more than ASCII', `a, ${encoded('tökén')}`],
  ])('%s is refused with 401', (_name, value) => {
    expect(() => bearerFromSubprotocols(offering(value))).toThrow('Unauthorized');
  });
});

test('headers without such a token stay the same list', () => {
  for (const headers of [['Host', 'a'], offering('a, b'), offering('bearer.authorization.k8s.io.dA, a')]) {
    expect(bearerFromSubprotocols(headers)).toBe(headers);
  }
});

test('whatever is offered, no header names the token or its prefix afterwards', () => {
  const name = fc.oneof(fc.stringMatching(/^[a-z.,]{0,8}$/), fc.stringMatching(/^[!-~]{1,20}$/).map(encoded));
  fc.assert(
    fc.property(fc.array(name, { maxLength: 4 }), fc.boolean(), (names, apart) => {
      const headers = apart ? offering(...names) : offering(names.join(', '));
      try {
        expect(bearerFromSubprotocols(headers).join('\n')).not.toContain(PREFIX);
      } catch (error) {
        expect(error).toMatchObject({ code: 401 });
      }
    }),
  );
});
