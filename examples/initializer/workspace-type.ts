import { WORKSPACE_TYPES_PATH } from '@kcp-vw/shared/informer/follow-urls.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Duty } from './lifecycle.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

/** What the controller may do in a workspace is what its type says here, whoever has made the workspace. */
const configMaps = (...verbs: string[]) => ({ apiGroups: [''], resources: ['configmaps'], verbs });

/** The type that this controller owns: its workspaces wait for it when they begin and before they end. */
const workspaceType = (name: string): object => ({
  apiVersion: 'tenancy.kcp.io/v1alpha1',
  kind: 'WorkspaceType',
  metadata: { name },
  spec: {
    initializer: true,
    initializerPermissions: [configMaps('create'), { apiGroups: [''], resources: ['namespaces'], verbs: ['create'] }],
    terminator: true,
    terminatorPermissions: [configMaps('delete')],
  },
});

/** Makes the type where it does not exist. `workspace` is the path of the one that is to have it. */
export async function ensureType(upstream: Upstream, workspace: string, name: string): Promise<void> {
  const path = workspace.replace(/\/$/, '') + WORKSPACE_TYPES_PATH;
  const { status, body } = await requestJson<{ message?: string }>(upstream, {
    ...{ method: 'POST', path, body: workspaceType(name), headers: ['content-type', 'application/json'] },
  });
  if (status !== 201 && status !== 409) throw new Error(`creating the type ${name}: ${status} ${body.message}`);
}

/** Before anybody else sees a new workspace it has a ConfigMap with a welcome. */
export const welcome = (type: string): Duty => ({
  list: 'initializers',
  async work(send) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
    await send('POST', '/api/v1/namespaces', [201, 409], namespace);
    const text = `Welcome to a workspace of type ${type}!`;
    await send('POST', CONFIG_MAPS, [201, 409], {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'welcome' },
      data: { text },
    });
  },
  done: 'is initialized',
});

/** And before a workspace is gone, the ConfigMap is taken back: here others would clean up what they keep elsewhere for the workspace. */
export const farewell: Duty = {
  list: 'terminators',
  async work(send) {
    // kcp deletes the content at the same time.
    await send('DELETE', `${CONFIG_MAPS}/welcome`, [200, 404]);
  },
  done: 'may go',
};
