import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseAllowedEndpoints } from '@kcp-vw/front-proxy/endpoints/allowed-endpoints.ts';
import { parseValue, UsageError } from '@kcp-vw/shared/config/flags-values.ts';
import { LONGEST_VIEW_NAME, VIEW_NAME } from '@kcp-vw/shared/registration/crd.ts';
import { defaultAccountOf, shippedViews, virtualWorkspaceOf } from '@kcp-vw/shared/registration/manifests.ts';
import type { ServiceAccountReference, VirtualWorkspace } from '@kcp-vw/shared/registration/virtual-workspace.ts';

export const USAGE = `Makes known to a kcp which virtual workspaces there are, and who may serve them: a definition, roles, an object for each view.

Usage:
  kcp-vw install --kubeconfig=<an admin of the workspace root> [flags]
  kcp-vw install --print [flags] > views.yaml         for kubectl apply --server-side -f views.yaml, and the same once more:
                                                      kubectl finds the definition a moment after it has made it

It can be run again: what is as it should be stays, what differs becomes what the flags say, and what others have written stays.

  --kubeconfig=<the path of a file>           an admin of the workspace that has the objects: https://…/clusters/root
  --context=<a text>                          context of the kubeconfig; its current one if absent
  --view=<name>                               a view, as often as needed; those that come with kcp-vw if absent
  --service-account=<namespace>/<name>        who may serve these views, as often as needed; if absent virtualworkspaces/<service>,
                                              and virtualworkspace-<view>/<view> for a view that does not come with kcp-vw
  --ca-file=<the path of a file>              PEM: the authorities that certify the servers of these views, and no others
  --allowed-endpoints=<list>                  where these servers may be: host, *.domain, address or 10.0.0.0/8, each with
                                              :port or without
  --write-kubeconfigs=<the path of a folder>  writes <service account>.kubeconfig for each of them, with a token that does not
                                              expire; without --view for the front proxy, too
  --print                                     prints the objects as YAML and asks no server
`;

export interface Installation {
  readonly kubeconfig: string;
  readonly context: string;
  readonly views: readonly VirtualWorkspace[];
  /** What this project ships is installed, not somebody's view. */
  readonly isShipped: boolean;
  readonly writeKubeconfigs?: string;
  readonly print: boolean;
}

/** Undefined when help is asked for. Throws an Error that says what is wrong. */
export function installationOf(argv: readonly string[]): Installation | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      kubeconfig: { type: 'string', default: '' },
      context: { type: 'string', default: '' },
      view: { type: 'string', multiple: true, default: [] },
      'service-account': { type: 'string', multiple: true, default: [] },
      'ca-file': { type: 'string' },
      'allowed-endpoints': { type: 'string', multiple: true, default: [] },
      'write-kubeconfigs': { type: 'string' },
      print: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { kubeconfig, context, print, 'write-kubeconfigs': writeKubeconfigs, 'ca-file': caFile } = values;
  if (!print && kubeconfig === '') throw new UsageError('--kubeconfig is required: an admin of the workspace root');
  if (print && writeKubeconfigs !== undefined)
    throw new UsageError('--write-kubeconfigs needs a server, which --print does not ask');
  if (writeKubeconfigs === '') throw new UsageError('--write-kubeconfigs takes the path of a folder');

  const names = values.view.length === 0 ? shippedViews() : [...new Set(values.view)].map(checkedView);
  const accounts = values['service-account'].map(accountOf);
  const allowedEndpoints = values['allowed-endpoints'].flatMap(text => parseValue('list', text, '--allowed-endpoints'));
  // A mistake in it would be told by the front proxy only, once a server is refused.
  parseAllowedEndpoints(allowedEndpoints, '--allowed-endpoints');
  const spec = {
    ...(caFile !== undefined && { caBundle: bundleOf(caFile) }),
    ...(allowedEndpoints.length > 0 && { allowedEndpoints }),
  };
  const views = names.map(view =>
    virtualWorkspaceOf(view, { ...spec, serviceAccounts: accounts.length > 0 ? accounts : [defaultAccountOf(view)] }),
  );
  return {
    kubeconfig,
    context,
    print,
    views,
    isShipped: values.view.length === 0,
    ...(writeKubeconfigs !== undefined && { writeKubeconfigs }),
  };
}

function checkedView(view: string): string {
  if (new RegExp(VIEW_NAME).test(view) && view.length <= LONGEST_VIEW_NAME) return view;
  const name = `up to ${LONGEST_VIEW_NAME} lower-case letters, digits and -, with a letter or a digit at both ends`;
  throw new UsageError(`--view takes ${name}, not ${JSON.stringify(view)}`);
}

function accountOf(text: string): ServiceAccountReference {
  const [, namespace, name] = /^([a-z0-9][-a-z0-9]{0,62})\/([a-z0-9][-.a-z0-9]{0,252})$/.exec(text) ?? [];
  if (namespace !== undefined && name !== undefined) return { namespace, name };
  throw new UsageError(`--service-account takes namespace/name, not ${JSON.stringify(text)}`);
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a file in base64, and nothing else that it may have: all who can read the object can read them. */
function bundleOf(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`--ca-file: ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new UsageError(`--ca-file: ${path} holds no PEM certificate`);
  for (const pem of found) {
    try {
      new X509Certificate(pem);
    } catch (cause) {
      throw new UsageError(`--ca-file: ${path} holds a certificate that cannot be decoded`, { cause });
    }
  }
  return Buffer.from(`${found.join('\n')}\n`).toString('base64');
}
