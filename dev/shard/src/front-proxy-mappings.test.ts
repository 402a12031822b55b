/** A path of the front proxy that leads to a server of somebody's, as kcp's mapping file has it: what arrives there, and what does not. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { authorityOf } from '@kcp-vw/pki/pki.ts';
import { freePort } from './free-port.fixture.ts';
import { type StartedKcp, startKcp } from './start.ts';
import { openWorkFolder } from './work-folder.ts';

const WORKSPACES = '/apis/tenancy.kcp.io/v1alpha1/workspaces';

let started: StartedKcp;
let folder: string;
let backend: Server;
let arrived: { url: string; method: string; headers: string[]; commonName: string; body: string } | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dev-mappings-test-'));
  const ports = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()] as const;
  const options = { folder, host: '127.0.0.1', shardPorts: [ports[0]], frontProxyPort: ports[1] } as const;
  const { file } = openWorkFolder({ path: folder, hosts: ['127.0.0.1'], shards: [''] });
  const read = (name: string): string => readFileSync(file(name), 'utf8');
  backend = createServer(
    {
      ...{ cert: read('virtual-workspaces.crt'), key: read('virtual-workspaces.key'), ca: read('requestheader-ca.crt') },
      requestCert: true,
      rejectUnauthorized: true,
    },
    (incoming, answer) => void receive(incoming, answer),
  );
  backend.listen(ports[2], '127.0.0.1');
  await once(backend, 'listening');
  started = await startKcp({
    ...options,
    virtualWorkspaceURLs: [new URL(`https://127.0.0.1:${ports[3]}`)],
    secondFrontProxy: {
      port: ports[4],
      mappings: [{ path: `/clusters/{cluster}${WORKSPACES}`, backend: new URL(`https://127.0.0.1:${ports[2]}`) }],
    },
    onError: () => undefined,
  });
  mapped = `https://127.0.0.1:${ports[4]}`;
});

let mapped: string;

afterAll(async () => {
  await started.kcp.stop();
  backend.closeAllConnections();
  backend.close();
  rmSync(folder, { recursive: true });
});

async function receive(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk;
  const { subject } = (incoming.socket as TLSSocket).getPeerCertificate();
  arrived = {
    ...{ url: incoming.url ?? '', method: incoming.method ?? '', headers: incoming.rawHeaders, body },
    commonName: String(subject.CN),
  };
  answer.writeHead(299, { 'x-from': 'backend' });
  answer.write('one');
  answer.end('two');
}

const valuesOf = (name: string): string[] =>
  (arrived?.headers ?? []).filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === name);

interface Asked {
  readonly organizations?: readonly string[];
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly body?: string;
  readonly at?: string;
}

/** As ada, unless there are no organizations: then without a certificate. */
async function ask(path: string, { organizations, headers = {}, method = 'GET', body, at = mapped }: Asked = {}) {
  arrived = undefined;
  const { pairs } = started.folder;
  const authority = pairs['client-ca'];
  if (authority === undefined) throw new Error('there is no authority of clients');
  const pair =
    organizations && authorityOf(authority).issue({ commonName: 'ada', organizations: [...organizations], usage: 'client' });
  const outgoing = request(`${at}${path}`, {
    agent: false,
    ca: pairs['serving-ca']?.certPem,
    ...(pair && { cert: pair.certPem, key: pair.keyPem }),
    method,
    headers,
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

test('the path arrives as it was sent, and the answer comes back as it is', async () => {
  const path = `/clusters/root${WORKSPACES}/a%7Eb?watch=false&x=%20`;
  expect(await ask(path, { organizations: [] })).toMatchObject({ status: 299, text: 'onetwo', headers: { 'x-from': 'backend' } });
  expect(arrived).toMatchObject({ url: path, method: 'GET', commonName: 'kcp-front-proxy' });
});

test('the user of the certificate is in headers of the proxy, without the groups that it drops', async () => {
  const headers = { 'X-Remote-User': 'kcp-admin', 'X-Remote-Group': 'system:masters', 'X-Remote-Extra-Scope': 'all' };
  await ask(`/clusters/root${WORKSPACES}`, { organizations: ['team', 'system:masters', 'b'], headers });
  expect(valuesOf('x-remote-user')).toEqual(['ada']);
  expect(valuesOf('x-remote-group')).toEqual(['b', 'system:authenticated', 'team']);
  expect(valuesOf('x-remote-extra-scope')).toEqual([]);
});

test('a token is passed on unread, and so is the wish to be somebody else; nobody is vouched for', async () => {
  const headers = { authorization: 'Bearer secret', 'impersonate-user': 'bob', 'x-remote-user': 'forged' };
  await ask(`/clusters/root${WORKSPACES}`, { headers });
  expect(valuesOf('authorization')).toEqual(['Bearer secret']);
  expect(valuesOf('impersonate-user')).toEqual(['bob']);
  expect(valuesOf('x-remote-user')).toEqual([]);
});

test.each([{ 'content-length': '4' }, {}])('bodies arrive, framed as %j', async framing => {
  await ask(`/clusters/root${WORKSPACES}`, { organizations: [], method: 'POST', body: 'body', headers: { ...framing } });
  expect(arrived).toMatchObject({ method: 'POST', body: 'body' });
});

test('a logical cluster that does not exist is refused by the proxy itself', async () => {
  const reply = await ask(`/clusters/root:nowhere${WORKSPACES}`, { organizations: [] });
  expect(reply.status).toBe(403);
  expect(reply.text).toContain('workspace access not permitted');
  expect(arrived).toBeUndefined();
});

test('all logical clusters are not looked for: the server has to refuse them', async () => {
  await ask(`/clusters/*${WORKSPACES}`, { organizations: [] });
  expect(arrived?.url).toBe(`/clusters/*${WORKSPACES}`);
});

test.each(['/apis/tenancy.kcp.io/v1alpha1/workspacetypes', `${WORKSPACES}:hash`, '/version'])("%s is the shard's", async path => {
  await ask(`/clusters/root${path}`, { organizations: ['system:kcp:admin'] });
  expect(arrived).toBeUndefined();
});

test('the other front proxy has mappings of its own: none', async () => {
  const reply = await ask(`/clusters/root${WORKSPACES}`, { organizations: ['system:kcp:admin'], at: started.frontProxyURL });
  expect(reply.status).toBe(200);
  expect(arrived).toBeUndefined();
});
