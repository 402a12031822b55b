import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RawHeaders } from '../listener/headers.ts';
import { asCaller, type Caller, identity } from './identity.ts';
import { callerFromFrontProxy, createCallerReader, createRequestHeaderReader, remoteHeaders } from './request-headers.ts';

const OPTIONS = {
  allowedNames: [],
  usernameHeaders: ['X-Remote-User'],
  groupHeaders: ['X-Remote-Group'],
  uidHeaders: ['X-Remote-Uid'],
  extraHeaderPrefixes: ['X-Remote-Extra-'],
};
const read = createRequestHeaderReader(OPTIONS);

const refusal = (code: number) => expect.objectContaining({ code });

describe('the user of request headers', () => {
  it('has a group per line, commas and all, and extra by decoded key', () => {
    const headers = [
      ...['X-Remote-User', 'jane', 'x-remote-group', 'a,b', 'X-REMOTE-GROUP', 'c', 'X-Remote-Uid', 'u1'],
      ...['X-Remote-Extra-Authentication.kcp.io%2Fscopes', 'cluster:x', 'x-remote-extra-authentication.kcp.io%2fscopes', 'y'],
    ];
    expect(read(headers)).toEqual(identity('jane', ['a,b', 'c'], 'u1', { 'authentication.kcp.io/scopes': ['cluster:x', 'y'] }));
  });

  it('is decoded from UTF-8 byte by byte', () => {
    expect(read(['X-Remote-User', 'J\xc3\xb6rg', 'X-Remote-Group', '\xe9\x9b\xaa'])).toEqual(identity('Jörg', ['雪']));
    expect(() => read(['X-Remote-User', 'J\xf6rg'])).toThrow(refusal(400));
  });

  it('is read from the configured names only', () => {
    const custom = createRequestHeaderReader({
      ...OPTIONS,
      usernameHeaders: ['X-First', 'X-Second'],
      groupHeaders: ['X-G1', 'X-G2'],
      extraHeaderPrefixes: ['X-E-', 'X-F-'],
    });
    const forged = ['X-Remote-User', 'admin', 'X-Remote-Group', 'system:masters'];
    expect(custom(forged)).toBeUndefined();
    const headers = [...forged, 'X-G2', 'two', 'X-Second', 'jane', 'X-First', '', 'X-G1', 'one', 'x-f-k', '2', 'X-E-K', '1'];
    expect(custom(headers)).toEqual(identity('jane', ['one', 'two'], '', { k: ['1', '2'] }));
  });

  it('is none without a name, whatever groups there are', () => {
    expect(read(['X-Remote-User', '', 'X-Remote-Group', 'system:masters'])).toBeUndefined();
    expect(read(['X-Remote-Group', 'system:masters'])).toBeUndefined();
  });

  // Servers that map headers to CGI variables take an underscore for a dash.
  it('is not read from names with underscores', () => {
    expect(read(['X_Remote_User', 'admin'])).toBeUndefined();
    expect(read(['X-Remote-User', 'jane', 'X_Remote_Group', 'system:masters', 'X_Remote_Extra_a', 'b'])).toEqual(
      identity('jane', []),
    );
  });

  // A proxy that appends its header behind the client's forged one: the forged one is first, and Kubernetes takes the first.
  it('is refused with 401 when two are named', () => {
    expect(() => read(['X-Remote-User', 'admin', 'X-Remote-User', 'jane'])).toThrow(refusal(401));
    expect(() => read(['X-Remote-User', 'jane', 'X-Remote-Uid', '1', 'X-Remote-Uid', '2'])).toThrow(refusal(401));
  });

  it('has no empty groups and no lifecycle groups', () => {
    const groups = ['X-Remote-Group', '', 'X-Remote-Group', 'system:kcp:initializer:root:universal'];
    expect(read(['X-Remote-User', 'jane', ...groups])?.groups).toEqual([]);
  });

  it('is not read from every header when a prefix is empty', () => {
    const reader = createRequestHeaderReader({ ...OPTIONS, extraHeaderPrefixes: [''] });
    expect(reader(['X-Remote-User', 'jane', 'Cookie', 'secret'])?.extra).toEqual({});
  });
});

/** Text that may stand in a header value. */
const text = fc.string({ unit: 'grapheme' }).filter(value => value === value.trim());
const word = text.filter(value => value !== '');
const anyIdentity = fc
  .record({
    name: word,
    uid: text,
    groups: fc.array(fc.oneof(text, fc.constantFrom('a,b', 'x/y', '100%', 'system:masters'))),
    extra: fc.dictionary(
      fc.oneof(text, fc.constantFrom('a/b', 'A%2Fb', 'k,v', 'Upper', '__proto__')),
      fc.array(text, { minLength: 1 }),
    ),
  })
  .map(({ name, uid, groups, extra }) => identity(name, groups, uid, extra));
const anyCaller = fc
  .record({
    who: anyIdentity,
    method: fc.constantFrom<Caller['method'][]>('certificate', 'request-header', 'token', 'anonymous', 'front-proxy'),
    impersonator: fc.option(anyIdentity, { nil: undefined }),
  })
  .map(({ who, method, impersonator }) => asCaller(who, method, impersonator));

describe('the hop from the front proxy to a service', () => {
  it('carries any caller unchanged', () => {
    fc.assert(fc.property(anyCaller, caller => expect(callerFromFrontProxy(remoteHeaders(caller))).toEqual(caller)));
  });

  it('carries names, groups and extra byte-exactly over a real connection', async () => {
    const impersonator = identity('kcp-shard-0', ['system:masters']);
    const extra = {
      'authentication.kcp.io/scopes': ['cluster:a,cluster:b'],
      'authorization.kcp.io/warrant': ['{"user":"Jörg"}'],
    };
    const caller = asCaller(identity('Jörg 雪', ['a, b', 'Größe'], 'u%1', extra), 'certificate', impersonator);
    expect(callerFromFrontProxy(await overTheWire(remoteHeaders(caller)))).toEqual(caller);
  });

  it('stamps one line per group and value', () => {
    const who = identity('jane', ['a', 'b'], 'u1', { 'a/b': ['1', '2'] });
    expect(remoteHeaders(asCaller(who, 'token'))).toEqual([
      ...['X-Remote-User', 'jane', 'X-Remote-Uid', 'u1', 'X-Remote-Group', 'a', 'X-Remote-Group', 'b'],
      ...['X-Remote-Extra-a%2Fb', '1', 'X-Remote-Extra-a%2Fb', '2', 'X-Kcp-Vw-Authenticated-By', 'token'],
    ]);
  });

  it('takes a user that another front proxy stamped, without our own headers', () => {
    expect(callerFromFrontProxy(['X-Remote-User', 'jane'])).toEqual(asCaller(identity('jane', []), 'front-proxy'));
  });

  // Header injection: the value would end its header and begin the next one.
  it.each(['jane\r\nX-Remote-Group: system:masters', 'jane\n', 'jane\0'])('never sends %j', name => {
    expect(() => remoteHeaders(identity(name, []))).toThrow(refusal(401));
    expect(() => remoteHeaders(identity('jane', [name]))).toThrow(refusal(401));
    expect(() => remoteHeaders(identity('jane', [], name))).toThrow(refusal(401));
    expect(() => remoteHeaders(identity('jane', [], '', { k: [name] }))).toThrow(refusal(401));
  });

  it('never sends a user without a name', () => {
    expect(() => remoteHeaders(identity('', ['a']))).toThrow(refusal(401));
  });

  it.each<[string, RawHeaders]>([
    ['no stamp', ['Accept', '*/*']],
    ['groups only', ['X-Remote-Group', 'system:masters']],
    ['an empty name', ['X-Remote-User', '']],
    ["a client's own header beside the stamp", ['X-Remote-User', 'admin', 'X-Remote-User', 'jane']],
    ['an unknown method', ['X-Remote-User', 'jane', 'X-Kcp-Vw-Authenticated-By', 'magic']],
    ['a garbled impersonator', ['X-Remote-User', 'jane', 'X-Kcp-Vw-Impersonator', 'e30garbled']],
    ['a nameless impersonator', ['X-Remote-User', 'jane', 'X-Kcp-Vw-Impersonator', Buffer.from('{}').toString('base64url')]],
  ])('is refused with 500 by a service when it carries %s', (_, headers) => {
    expect(() => callerFromFrontProxy(headers)).toThrow(refusal(500));
  });
});

/** The raw headers that a Node server receives when a Node client sends `headers`. */
function overTheWire(headers: readonly string[]): Promise<RawHeaders> {
  return new Promise((resolve, reject) => {
    const server = createServer((incoming, response) => {
      response.end();
      server.close();
      resolve(incoming.rawHeaders);
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      request({ host: '127.0.0.1', port, headers: ['Host', 'service', ...headers], agent: false }, response => response.resume())
        .on('error', reject)
        .end();
    });
  });
}

describe('a reader that remembers callers', () => {
  it('reads what the headers say, in whatever order callers come', () => {
    const read = createCallerReader();
    fc.assert(
      fc.property(fc.array(anyCaller, { minLength: 1, maxLength: 4 }), callers => {
        for (const caller of [...callers, ...callers]) expect(read([...remoteHeaders(caller)])).toEqual(caller);
      }),
    );
  });

  it('reads the same headers once, whatever stands between them', () => {
    const read = createCallerReader();
    const one = read(['X-Remote-User', 'jane', 'accept', 'a', 'X-Remote-Group', 'g']);
    expect(read(['accept', 'b', 'X-Remote-User', 'jane', 'X-Remote-Group', 'g', 'x-request-id', '7'])).toBe(one);
    expect(read(['X-Remote-User', 'jane', 'X-Remote-Group', 'g', 'x-remote-group', 'h']).groups).toEqual(['g', 'h']);
    expect(read(['X-Remote-User', 'jane', 'X-Remote-Group', 'g', 'X-Remote-Extra-a', 'b']).extra).toEqual({ a: ['b'] });
  });

  // Refused is refused each time, also after the same name has come rightly.
  it('remembers nobody who is refused', () => {
    const read = createCallerReader();
    read(['X-Remote-User', 'jane']);
    for (let i = 0; i < 2; i++) {
      expect(() => read(['X-Remote-User', 'jane', 'x-remote-user', 'admin'])).toThrow('2 times');
      expect(() => read(['X-Remote-Group', 'system:masters'])).toThrow('no identity');
    }
  });

  it('forgets the first of too many', () => {
    const read = createCallerReader();
    const first = read(['X-Remote-User', 'user-0']);
    for (let i = 1; i < 1_024; i++) read(['X-Remote-User', `user-${i}`]);
    expect(read(['X-Remote-User', 'user-0'])).toBe(first);
    read(['X-Remote-User', 'user-1024']);
    expect(read(['X-Remote-User', 'user-0'])).not.toBe(first);
  });
});
