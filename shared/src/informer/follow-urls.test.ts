import { afterEach, expect, test } from '@jest/globals';
import type { ClusterAccess } from '../config/cluster-access.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { ManagedUpstream } from '../upstream/pool.ts';
import { followUrls, urlsOfSlice, urlsOfType, WORKSPACE_TYPES_PATH, type WorkspaceType } from './follow-urls.ts';
import { ScriptedUpstream, settle, thing } from './scripted.fixture.ts';

const SERVER = 'https://kcp.example.dev:6443/clusters/root:org/';
const [ONE, TWO] = ['https://one.example.dev/services/x', 'https://two.example.dev/services/x'] as const;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function following() {
  const log: string[] = [];
  const told: (string | undefined)[] = [];
  const workspace = new ScriptedUpstream();
  const connect = (url: URL): ManagedUpstream =>
    Object.assign(url.href === SERVER ? workspace : new ScriptedUpstream(), {
      basePath: '',
      setCredentials: () => undefined,
      close: async () => void log.push(`closed ${url.host}`),
    });
  const { stop } = followUrls<WorkspaceType>({
    access: { server: new URL(SERVER) } as ClusterAccess,
    path: WORKSPACE_TYPES_PATH,
    name: 'mine',
    urlsOf: urlsOfType('initializing'),
    onObject: object => told.push(object?.metadata?.resourceVersion),
    serve: url => ({ stop: () => log.push(`stopped ${url.host}`) }),
    say: text => log.push(text),
    connect,
  });
  ends.push(stop);
  const watch = await workspace.next();
  return { log, told, stop, watch: watch.head(200), path: watch.request.path };
}

const type = (version: string, urls: readonly string[], name = 'mine'): KubeObject => ({
  ...thing(name, version),
  status: {
    virtualWorkspaces: urls.flatMap(url => [
      { url, type: 'initializing' },
      { url: `${url}/other`, type: 'terminating' },
    ]),
  },
});

test('work begins behind each URL as it is published, and ends as it goes', async () => {
  const { log, watch, path } = await following();
  expect(path).toContain('/clusters/root:org/apis/tenancy.kcp.io/v1alpha1/workspacetypes');
  watch.event('ADDED', type('1', [ONE])).initialEnd('1');
  watch.event('MODIFIED', type('2', [ONE, TWO]));
  expect(log).toEqual([`serving ${ONE}`, `serving ${TWO}`]);
  log.length = 0;
  watch.event('MODIFIED', type('3', [TWO]));
  await settle();
  expect(log).toEqual([`no longer serving ${ONE}`, 'stopped one.example.dev', 'closed one.example.dev']);
});

test('only that object is asked for, which may be all that one may read', async () => {
  const { path } = await following();
  expect(new URL(path, SERVER).searchParams.get('fieldSelector')).toBe('metadata.name=mine');
});

test('every state of the object is told, and its end', async () => {
  const { told, watch } = await following();
  watch
    .event('ADDED', type('1', [ONE]))
    .event('ADDED', type('1', [ONE], 'theirs'))
    .initialEnd('1');
  watch.event('MODIFIED', type('2', [ONE])).event('DELETED', type('3', [ONE]));
  expect(told).toEqual(['1', '2', undefined]);
});

test('the URLs of another object are not followed', async () => {
  const { log, watch } = await following();
  watch.event('ADDED', type('1', [ONE], 'theirs')).initialEnd('1');
  expect(log).toEqual([]);
});

test('a URL that goes and comes back is served anew', async () => {
  const { log, watch } = await following();
  watch.event('ADDED', type('1', [ONE])).initialEnd('1');
  watch.event('MODIFIED', type('2', [])).event('MODIFIED', type('3', [ONE]));
  expect(log.filter(line => line.includes('serving'))).toEqual([`serving ${ONE}`, `no longer serving ${ONE}`, `serving ${ONE}`]);
});

test('with the object its URLs are gone', async () => {
  const { log, watch } = await following();
  watch
    .event('ADDED', type('1', [ONE]))
    .initialEnd('1')
    .event('DELETED', type('2', [ONE]));
  expect(log).toContain(`no longer serving ${ONE}`);
});

test('after the end nothing is served, and nothing is open', async () => {
  const { log, stop, watch } = await following();
  watch.event('ADDED', type('1', [ONE])).initialEnd('1');
  await stop();
  expect(log.slice(1)).toEqual([
    `no longer serving ${ONE}`,
    'stopped one.example.dev',
    'closed one.example.dev',
    'closed kcp.example.dev:6443',
  ]);
});

test('the URLs are where kcp publishes them, and there may be none yet', () => {
  expect(urlsOfSlice({ status: { endpoints: [{ url: ONE }, { url: TWO }] } })).toEqual([ONE, TWO]);
  expect(urlsOfType('terminating')(type('1', [ONE]) as WorkspaceType)).toEqual([`${ONE}/other`]);
  expect([urlsOfSlice({}), urlsOfType('initializing')({})]).toEqual([[], []]);
});
