/**
 * A service provider's controller: it offers the API of greetings.yaml, and serves everyone who binds it. It knows its own workspace, by a
 * kubeconfig, and follows the URLs that kcp publishes in the export's APIExportEndpointSlice: one for each shard with consumers, which come
 * and go with these.
 */
import { parseArgs } from 'node:util';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { ENDPOINT_SLICES_PATH, followUrls, urlsOfSlice } from '@kcp-vw/shared/informer/follow-urls.ts';
import { startGreeter } from './greeter.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string', default: '' },
    slice: { type: 'string', default: 'greetings' },
  },
});
if (values.kubeconfig === undefined) throw new Error('--kubeconfig is required: how to reach the workspace of the export');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const following = followUrls({
  access: await loadKubeconfig(values.kubeconfig, { context: values.context }),
  path: ENDPOINT_SLICES_PATH,
  name: values.slice,
  urlsOf: urlsOfSlice,
  serve: (url, upstream) => startGreeter(url, upstream, say),
  say,
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void following.stop());
