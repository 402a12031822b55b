/**
 * The controller of a WorkspaceType's owner: it fills each new workspace of the type before the workspace becomes Ready, and takes leave of
 * it before it is gone. It knows the workspace of its type, by a kubeconfig, and follows the URLs that kcp publishes in the type's status:
 * two for each shard, which come and go with the shards.
 */
import { parseArgs } from 'node:util';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { connectWith, followUrls, urlsOfType, WORKSPACE_TYPES_PATH } from '@kcp-vw/shared/informer/follow-urls.ts';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';
import { type Duty, startLifecycle } from './lifecycle.ts';
import { ensureType, farewell, welcome } from './workspace-type.ts';

const isAlone = dieWithParent() === 'alone';
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string', default: '' },
    type: { type: 'string', default: 'demo' },
  },
});
if (values.kubeconfig === undefined) throw new Error('--kubeconfig is required: how to reach the workspace of the type');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const access = await loadKubeconfig(values.kubeconfig, { context: values.context });
const workspace = connectWith(access)(access.server);
await ensureType(workspace, access.server.pathname, values.type);
await workspace.close();

const follow = (lifecycle: 'initializing' | 'terminating', duty: Duty) =>
  followUrls({
    access,
    path: WORKSPACE_TYPES_PATH,
    name: values.type,
    urlsOf: urlsOfType(lifecycle),
    serve: (url, upstream) => startLifecycle(url, upstream, duty, say),
    say,
  });
const following = [follow('initializing', welcome(values.type)), follow('terminating', farewell)];

async function stop(): Promise<void> {
  await Promise.all(following.map(one => one.stop()));
  process.exit(0);
}
process.once('SIGTERM', () => void stop());
if (isAlone) process.once('SIGINT', () => void stop());
