/**
 * A view of a team's own comes to a front proxy that runs: a program on the SDK, with an account that may read what its workspaces allow it and
 * write where it is, and nothing else.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { type Instance, RegisteredFleet } from '../harness/registered-fleet.ts';
import type { Client, Credentials } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { masters, target, user } from '../support/identities.ts';
import type { KubeObject, List, Status } from '../support/kube.ts';
import { adminIn, createParent } from '../support/workspaces.ts';

const FOLDER = join(import.meta.dirname, '../../examples/custom-view');
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';
const describeOurs = target.command === undefined ? describe.skip : describe;

describeOurs("a team's own view", () => {
  let fleet: RegisteredFleet;
  let workspace: Client;
  let cluster: string;
  let view: Instance | undefined;
  const notes = (team: string, credentials: Credentials = user(1)): Client =>
    fleet.at(credentials).at(`/services/team-notes/${team}/clusters/${cluster}`);

  beforeAll(async () => {
    workspace = adminIn(await createParent());
    for (const file of ['workspace.yaml', 'note.yaml']) {
      for (const object of loadAll(readFileSync(join(FOLDER, file), 'utf8')) as KubeObject[]) {
        const path = object.kind === 'ConfigMap' ? MAPS : `${RBAC}/${object.kind?.toLowerCase()}s`;
        (await workspace.post(path, object)).expect(201);
      }
    }
    const labelled = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'for-team-1', labels: { team: '1' } } };
    const stored = (await workspace.post(MAPS, labelled)).expect(201).json<KubeObject>();
    cluster = stored.metadata?.annotations?.['kcp.io/cluster'] ?? '';
    fleet = new RegisteredFleet({ ...target, service: 'apiexport-vw', command: target.command ?? [] });
    await fleet.start();
    await fleet.startFrontProxy();
  }, 120_000);

  afterAll(async () => {
    await fleet?.end();
  });

  test('is not there before it is started', async () => {
    (await notes('1', masters).get('/api/v1/configmaps')).expect(404);
  });

  test('is served once it has registered, with no restart of anything', async () => {
    view = await fleet.startView('team-notes', join(FOLDER, 'main.ts'));
    const list = await eventually('the notes', async () => (await notes('1').get('/api/v1/configmaps')).expect(200));
    expect(list.json<List<KubeObject>>().items.map(({ metadata }) => metadata?.name)).toEqual(['for-team-1']);
    (await notes('1').get(`${MAPS}/for-team-1`)).expect(200);
  });

  test('shows nobody what is not for him, and lets nobody write', async () => {
    (await notes('1').get(`${MAPS}/kube-root-ca.crt`)).expect(404);
    (await notes('blue').get('/api/v1/configmaps')).expect(403);
    (await notes('1', masters).delete(`${MAPS}/for-team-1`)).expect(405);
  });

  test('tells what happens', async () => {
    const watch = await notes('1').watch('/api/v1/configmaps');
    const change = { metadata: { labels: { team: '2' } } };
    (await workspace.mergePatch(`${MAPS}/for-team-1`, change)).expect(200);
    await watch.until('its end', ({ type, object }) => type === 'DELETED' && object.metadata?.name === 'for-team-1');
    watch.close();
  });

  test('is gone with its process', async () => {
    const ended = once(view?.process ?? process, 'exit');
    view?.process.kill('SIGTERM');
    await ended;
    await eventually('503', async () => {
      const { reason } = (await notes('1').get('/api/v1/configmaps')).expect(503).json<Status>();
      expect(reason).toBe('ServiceUnavailable');
    });
  });
});
