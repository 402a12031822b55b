import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from '../kube/errors.ts';
import { type RequestInfo, requestInfo } from './request-info.ts';
import { parseTarget, type Target } from './target.ts';

const info = (method: string, url: string): RequestInfo => requestInfo(method, parseTarget(url));

/** verb, apiPrefix, apiGroup, apiVersion, namespace, resource, subresource, name, parts */
type Row = [string, string, string, string, string, string, string, string, string, string, string[]];

describe('a resource request', () => {
  test.each<Row>([
    ['GET', '/api/v1/namespaces', 'list', 'api', '', 'v1', '', 'namespaces', '', '', ['namespaces']],
    ['GET', '/api/v1/namespaces/other', 'get', 'api', '', 'v1', 'other', 'namespaces', '', 'other', ['namespaces', 'other']],
    [
      'PUT',
      '/api/v1/namespaces/other/status',
      'update',
      'api',
      '',
      'v1',
      'other',
      'namespaces',
      'status',
      'other',
      ['namespaces', 'other', 'status'],
    ],
    [
      'PUT',
      '/api/v1/namespaces/other/finalize',
      'update',
      'api',
      '',
      'v1',
      'other',
      'namespaces',
      'finalize',
      'other',
      ['namespaces', 'other', 'finalize'],
    ],
    ['GET', '/api/v1/namespaces/other/pods', 'list', 'api', '', 'v1', 'other', 'pods', '', '', ['pods']],
    ['HEAD', '/api/v1/namespaces/other/pods/foo', 'get', 'api', '', 'v1', 'other', 'pods', '', 'foo', ['pods', 'foo']],
    ['GET', '/api/v1/pods', 'list', 'api', '', 'v1', '', 'pods', '', '', ['pods']],
    ['HEAD', '/api/v1/pods', 'list', 'api', '', 'v1', '', 'pods', '', '', ['pods']],
    ['GET', '/api/v1/pods/', 'list', 'api', '', 'v1', '', 'pods', '', '', ['pods']],
    ['POST', '/api/v1/namespaces/other/pods', 'create', 'api', '', 'v1', 'other', 'pods', '', '', ['pods']],
    ['PATCH', '/api/v1/namespaces/other/pods/foo', 'patch', 'api', '', 'v1', 'other', 'pods', '', 'foo', ['pods', 'foo']],
    ['DELETE', '/api/v1/namespaces/other/pods/foo', 'delete', 'api', '', 'v1', 'other', 'pods', '', 'foo', ['pods', 'foo']],
    ['DELETE', '/api/v1/namespaces/other/pods', 'deletecollection', 'api', '', 'v1', 'other', 'pods', '', '', ['pods']],
    ['OPTIONS', '/api/v1/pods', '', 'api', '', 'v1', '', 'pods', '', '', ['pods']],
    ['get', '/api/v1/pods', '', 'api', '', 'v1', '', 'pods', '', '', ['pods']],
    [
      'GET',
      '/api/v1/proxy/namespaces/other/pods/foo/x',
      'proxy',
      'api',
      '',
      'v1',
      'other',
      'pods',
      '',
      'foo',
      ['pods', 'foo', 'x'],
    ],
    [
      'GET',
      '/api/v1/namespaces/other/pods/foo/proxy/sub/path',
      'get',
      'api',
      '',
      'v1',
      'other',
      'pods',
      'proxy',
      'foo',
      ['pods', 'foo', 'proxy', 'sub', 'path'],
    ],
    ['GET', '/api/v1/watch/pods', 'watch', 'api', '', 'v1', '', 'pods', '', '', ['pods']],
    ['POST', '/api/v1/watch/namespaces/other/pods/foo', 'watch', 'api', '', 'v1', 'other', 'pods', '', 'foo', ['pods', 'foo']],
    ['GET', '/apis/apps/v1/deployments', 'list', 'apis', 'apps', 'v1', '', 'deployments', '', '', ['deployments']],
    [
      'GET',
      '/apis/apps/v1/namespaces/d/deployments/a/status',
      'get',
      'apis',
      'apps',
      'v1',
      'd',
      'deployments',
      'status',
      'a',
      ['deployments', 'a', 'status'],
    ],
    ['GET', '/apis/a.io/v1/watch/namespaces/d/things', 'watch', 'apis', 'a.io', 'v1', 'd', 'things', '', '', ['things']],
    // Go returns its error with what it knew: no resource, and the method for a verb.
    ['GET', '/api/v1/watch', 'get', 'api', '', 'v1', '', '', '', '', []],
  ])('%s %s is %s', (method, url, verb, apiPrefix, apiGroup, apiVersion, namespace, resource, subresource, name, parts) => {
    expect(info(method, url)).toEqual({
      isResourceRequest: true,
      path: url,
      ...{ verb, apiPrefix, apiGroup, apiVersion, namespace, resource, subresource, name, parts },
    });
  });
});

describe('not a resource request', () => {
  test.each<[string, string, string]>([
    ['/', 'get', ''],
    ['/api', 'get', ''],
    ['/api/', 'get', ''],
    ['/api/v1', 'get', ''],
    ['/apis', 'get', ''],
    ['/apis/apps', 'get', ''],
    ['/apis/apps/v1', 'get', 'apis'],
    ['/apis/apps/v1/', 'get', 'apis'],
    ['/version', 'get', ''],
    ['/openapi/v3/apis/apps/v1', 'get', ''],
    ['/API/v1/pods', 'get', ''],
    ['/clusters/x/api/v1/pods', 'get', ''],
  ])('%s', (url, verb, apiPrefix) => {
    const found = info('GET', url);
    expect(found).toMatchObject({ isResourceRequest: false, path: url, verb, apiPrefix, resource: '', parts: [] });
  });

  test('has the lower-case method for a verb', () => {
    expect(info('OPTIONS', '/version').verb).toBe('options');
  });
});

describe('a watch', () => {
  test.each<[string, string]>([
    ['watch=true', 'watch'],
    ['watch=1', 'watch'],
    ['watch', 'watch'],
    ['watch=', 'watch'],
    ['watch=maybe', 'watch'],
    ['watch=true&watch=false', 'watch'],
    ['watch=false', 'list'],
    ['watch=FALSE', 'list'],
    ['watch=fal%C5%BFe', 'list'],
    ['watch=0', 'list'],
    ['watch=0&watch=1', 'list'],
    ['Watch=1', 'list'],
    ['', 'list'],
    ['watch=1&limit=abc', 'watch'],
    ['watch=1&fieldSelector=nonsense', 'watch'],
    ['watch=0&labelSelector=(', 'list'],
  ])('with ?%s is a %s', (query, verb) => {
    expect(info('GET', `/api/v1/pods?${query}`).verb).toBe(verb);
  });

  test('of a name in the path is a get', () => {
    expect(info('GET', '/api/v1/nodes/a?watch=1').verb).toBe('get');
  });
});

describe('the name of a list', () => {
  test.each<[string, string, string]>([
    ['fieldSelector=metadata.name%3Dfoo', 'list', 'foo'],
    ['fieldSelector=metadata.name==foo,x!=y&watch=1', 'watch', 'foo'],
    ['fieldSelector=metadata.name!%3Dfoo', 'list', ''],
    ['fieldSelector=metadata.name%3Da%2Fb', 'list', ''],
    ['fieldSelector=metadata.name%3Da%25', 'list', ''],
    ['fieldSelector=metadata.name%3D..', 'list', ''],
    ['fieldSelector=metadata.name%3Dfoo,nonsense', 'list', ''],
    ['fieldSelector=x%3Dy&fieldSelector=metadata.name%3Dfoo', 'list', ''],
    ['fieldSelector=metadata.name%3Dfoo&labelSelector=(', 'list', ''],
    ['fieldSelector=metadata.name%3Dfoo&limit=abc', 'list', ''],
    ['fieldSelector=metadata.name%3Dfoo&timeoutSeconds=', 'list', ''],
    ['fieldSelector=metadata.name%3Dfoo&limit=-1', 'list', 'foo'],
  ])('with ?%s: %s of %j', (query, verb, name) => {
    expect(info('GET', `/api/v1/pods?${query}`)).toMatchObject({ verb, name });
  });

  test('is not taken for a delete of a collection', () => {
    expect(info('DELETE', '/api/v1/pods?fieldSelector=metadata.name%3Dfoo')).toMatchObject({
      verb: 'deletecollection',
      name: '',
    });
  });
});

// A Go server splits the decoded path: `pods/a%2Fexec` reaches the subresource exec there, whatever the sender took it for.
test('an encoded slash separates, as it will on the shard', () => {
  expect(info('GET', '/api/v1/namespaces/d/pods/a%2Fexec')).toMatchObject({ resource: 'pods', name: 'a', subresource: 'exec' });
  expect(info('GET', '/api/v1/namespaces/d%2Fsecrets')).toMatchObject({ verb: 'list', namespace: 'd', resource: 'secrets' });
  expect(info('GET', '/api/v1/namespaces%2Fd/pods').path).toBe('/api/v1/namespaces/d/pods');
});

describe('properties', () => {
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE');
  const word = fc.constantFrom(
    'api',
    'apis',
    'v1',
    'g.io',
    'namespaces',
    'status',
    'finalize',
    'watch',
    'proxy',
    'pods',
    'a',
    'b%2Fc',
    'x%20y',
  );
  const query = fc.constantFrom(
    '',
    '?watch=1',
    '?watch=0',
    '?fieldSelector=metadata.name%3Dz',
    '?limit=x',
    '?fieldSelector=(&labelSelector=)',
  );

  const parsed = (url: string): Target | undefined => {
    try {
      return parseTarget(url);
    } catch (error) {
      if (error instanceof StatusError) return undefined;
      throw error;
    }
  };

  test('every target has a consistent answer', () => {
    const built = fc
      .tuple(fc.array(word, { maxLength: 9 }), fc.boolean(), query)
      .map(([words, slash, rest]) => `/${words.join('/')}${slash && words.length ? '/' : ''}${rest}`);
    fc.assert(
      fc.property(
        method,
        fc.oneof(
          built,
          fc.string().map(text => `/${text}`),
        ),
        (verb, url) => {
          const target = parsed(url);
          if (target === undefined) return;
          const found = requestInfo(verb, target);
          expect(Object.isFrozen(found)).toBe(true);
          expect(found.resource).toBe(found.parts[0] ?? '');
          if (found.parts.length > 1) expect(found.name).toBe(found.parts[1]);
          if (found.subresource !== '') expect(found.subresource).toBe(found.parts[2]);
          if (!found.isResourceRequest) expect(found.verb).toBe(verb.toLowerCase());
          if (found.resource !== '' && found.name === '') expect(found.verb).not.toBe('delete');
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('a path that is built from its parts is read back', () => {
    const name = fc
      .stringMatching(/^[a-z][-a-z0-9.:]{0,10}$/)
      .filter(text => !['watch', 'proxy', 'namespaces', 'status', 'finalize'].includes(text));
    const optional = fc.option(name, { nil: '' });
    fc.assert(
      fc.property(optional, name, optional, name, optional, optional, (group, version, namespace, resource, object, sub) => {
        const subresource = object === '' ? '' : sub;
        const segments = [
          ...(group === '' ? ['api'] : ['apis', group]),
          version,
          ...(namespace === '' ? [] : ['namespaces', namespace]),
          ...[resource, object, subresource].filter(Boolean),
        ];
        expect(info('GET', `/${segments.map(encodeURIComponent).join('/')}`)).toMatchObject({
          isResourceRequest: true,
          verb: object === '' ? 'list' : 'get',
          apiGroup: group,
          apiVersion: version,
          ...{ namespace, resource, subresource, name: object },
        });
      }),
    );
  });
});
