import { parseArgs } from 'node:util';
import { UsageError } from '@kcp-vw/shared/config/flags-values.ts';
import { LONGEST_NAME, PATH_PATTERN } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { COMPUTE_WORKSPACE } from '@kcp-vw/syncer-vw/manifests/exports.ts';

export const USAGE = `Lets syncers of physical clusters have their share of workspaces: what that needs in a kcp.

Usage:
  kcp-vw workload install --kubeconfig=<kcp-admin> [flags]            once: the workspace of the exports, with the account of syncer-vw
  kcp-vw workload bind --workspace=<consumer> [flags]                 for each workspace whose objects are to be synced
  kcp-vw workload sync <name> [flags]                                 for each physical cluster: its SyncTarget, and its syncer's account
  kcp-vw workload grant --workspace=<provider> --export=<name> [flags]  lets objects of another provider's export be synced

Each can be run again: what is as it should be stays, what differs becomes what the flags say, and what others have written stays.

All:
  --kubeconfig=<the path of a file>           a user of kcp's front proxy: kcp-admin, or whoever may do this in the workspaces concerned
  --context=<a text>                          context of the kubeconfig; its current one if absent
  --workspace=<a path>                        install: the workspace of the exports, made if its parent does not have it; by default ${COMPUTE_WORKSPACE}
                                              sync: the workspace of the SyncTarget, by default ${COMPUTE_WORKSPACE}. It is given objects of its
                                              own workspace, and there of all that have bound the compute export
                                              bind, grant: the workspace that binds or provides
  --compute=<a path>                          bind, grant: the workspace that install was run for, by default ${COMPUTE_WORKSPACE}
install:
  --consumers=<group>                         who may bind the exports, as often as needed; everybody who has logged in if absent
  --write-kubeconfigs=<the path of a folder>  writes syncer-vw.kubeconfig, with a token that does not expire, for kcp-vw serve syncer-vw
  --print                                     prints the objects as YAML and asks no server
sync:
  --export=<workspace>:<name>                 an export whose resources may be synced, as often as needed; without a workspace one of the
                                              SyncTarget's own. If absent, the export "kubernetes" of the workspace that offers SyncTargets
  --label=<key>=<value>                       a label of the SyncTarget, as often as needed: namespaces select by them
  --write-kubeconfigs=<the path of a folder>  where <name>.kubeconfig is written, for the syncer; by default the current one
bind:
  --sync-targets                              binds workload.kcp.io, too: SyncTargets can be made in the workspace
grant:
  --export=<name>                             the export
`;

export const VERBS = ['install', 'sync', 'bind', 'grant'] as const;
export type Verb = (typeof VERBS)[number];

export interface ExportName {
  /** Absent: that of the SyncTarget. */
  readonly path?: string;
  readonly export: string;
}

export interface WorkloadFlags {
  readonly verb: Verb;
  /** Of the SyncTarget; empty for the other verbs. */
  readonly name: string;
  readonly kubeconfig: string;
  readonly context: string;
  readonly workspace: string;
  readonly compute: string;
  readonly exports: readonly ExportName[];
  readonly labels: Readonly<Record<string, string>>;
  readonly consumers: readonly string[];
  readonly isPrinted: boolean;
  readonly withSyncTargets: boolean;
  readonly folder?: string;
}

/** Flags besides those of all. */
const FLAGS_OF: Readonly<Record<Verb, readonly string[]>> = {
  install: ['consumers', 'write-kubeconfigs', 'print'],
  sync: ['export', 'label', 'write-kubeconfigs'],
  bind: ['compute', 'sync-targets'],
  grant: ['compute', 'export'],
};
const FLAGS_OF_ALL = ['kubeconfig', 'context', 'workspace'];

/** Undefined when help is asked for. Throws an Error that says what is wrong. */
export function workloadFlagsOf(argv: readonly string[]): WorkloadFlags | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      workspace: { type: 'string' },
      compute: { type: 'string' },
      consumers: { type: 'string', multiple: true },
      export: { type: 'string', multiple: true },
      label: { type: 'string', multiple: true },
      'write-kubeconfigs': { type: 'string' },
      print: { type: 'boolean' },
      'sync-targets': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [verb, name, ...more] = positionals;
  if (values.help || verb === 'help') return undefined;
  if (!isVerb(verb))
    throw new UsageError(`workload takes one of ${VERBS.join(', ')}${verb === undefined ? '' : `, not ${verb}`}`);
  const allowed = [...FLAGS_OF_ALL, ...FLAGS_OF[verb]];
  const other = Object.keys(values).find(flag => !allowed.includes(flag));
  if (other !== undefined) throw new UsageError(`workload ${verb} has no --${other}`);
  const unexpected = verb === 'sync' ? more[0] : name;
  if (unexpected !== undefined) throw new UsageError(`workload ${verb} does not take ${JSON.stringify(unexpected)}`);

  const { kubeconfig = '', context = '', print = false, export: exports = [], label: labels = [], consumers = [] } = values;
  if (!print && kubeconfig === '') throw new UsageError('--kubeconfig is required: a user of the front proxy of kcp');
  const folder = values['write-kubeconfigs'] ?? (verb === 'sync' ? '.' : undefined);
  if (folder === '') throw new UsageError('--write-kubeconfigs takes the path of a folder');
  if (print && folder !== undefined) throw new UsageError('--write-kubeconfigs needs a server, which --print does not ask');
  if (verb === 'grant' && exports.length !== 1)
    throw new UsageError('workload grant takes one --export: the name of an APIExport');
  const isElsewhere = verb === 'bind' || verb === 'grant';
  if (isElsewhere && values.workspace === undefined) throw new UsageError(`workload ${verb} needs --workspace: a path`);
  return {
    ...{ verb, kubeconfig, context, labels: labelsOf(labels), consumers: consumers.map(groupOf) },
    name: verb === 'sync' ? checkedName(name) : '',
    workspace: pathOf('--workspace', values.workspace ?? COMPUTE_WORKSPACE),
    compute: pathOf('--compute', values.compute ?? COMPUTE_WORKSPACE),
    exports: exports.map(verb === 'grant' ? ownExportOf : exportOf),
    ...{ isPrinted: print, withSyncTargets: values['sync-targets'] ?? false, ...(folder !== undefined && { folder }) },
  };
}

const isVerb = (text: string | undefined): text is Verb => VERBS.some(verb => verb === text);

const PATH = new RegExp(PATH_PATTERN);
const OBJECT_NAME = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;
const LABEL =
  /^((?:[a-z0-9][-.a-z0-9]{0,252}\/)?[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)=((?:[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?)$/;

function pathOf(flag: string, text: string): string {
  if (PATH.test(text)) return text;
  throw new UsageError(`${flag} takes the path of a workspace, such as ${COMPUTE_WORKSPACE}, not ${JSON.stringify(text)}`);
}

function checkedName(name = ''): string {
  if (OBJECT_NAME.test(name) && name.length <= LONGEST_NAME) return name;
  const what = `up to ${LONGEST_NAME} lower-case letters, digits, - and .`;
  throw new UsageError(
    `workload sync takes the name of a SyncTarget, ${what}${name === '' ? '' : `, not ${JSON.stringify(name)}`}`,
  );
}

function exportOf(text: string): ExportName {
  const colon = text.lastIndexOf(':');
  const name = text.slice(colon + 1);
  const path = text.slice(0, Math.max(colon, 0));
  if (OBJECT_NAME.test(name) && (colon < 0 || PATH.test(path))) return { ...(colon >= 0 && { path }), export: name };
  throw new UsageError(`--export takes <workspace>:<name> or <name>, not ${JSON.stringify(text)}`);
}

function ownExportOf(text: string): ExportName {
  if (OBJECT_NAME.test(text)) return { export: text };
  throw new UsageError(`--export takes the name of an APIExport of the workspace, not ${JSON.stringify(text)}`);
}

const labelsOf = (texts: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    texts.map(text => {
      const [, key = '', value = ''] = LABEL.exec(text) ?? [];
      if (key === '') throw new UsageError(`--label takes <key>=<value>, not ${JSON.stringify(text)}`);
      return [key, value];
    }),
  );

function groupOf(text: string): string {
  if (text !== '') return text;
  throw new UsageError('--consumers takes the name of a group');
}
