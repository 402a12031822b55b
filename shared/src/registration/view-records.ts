import { requestText } from '../upstream/text.ts';
import type { Registry } from './registry-access.ts';
import {
  GROUP,
  KIND,
  namespaceOf,
  VERSION,
  VIRTUAL_WORKSPACES_PATH,
  type VirtualWorkspace,
  type VirtualWorkspaceEndpoint,
} from './virtual-workspace.ts';

/** Of whom the records are: one process, as a server of one view. */
export interface RecordsOf {
  readonly view: string;
  readonly instance: string;
}

export interface LeaseTimes {
  readonly durationSeconds: number;
  readonly acquired: Date;
  readonly renewed: Date;
}

/** The registry has answered, and does not do it. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly code: number;
  /** What was asked for, as a right: `patch virtualworkspaces/status "workspaces"`. */
  readonly right: string;

  constructor(code: number, right: string, message: string) {
    super(message);
    this.code = code;
    this.right = right;
  }
}

/** Shorter than the third of a usual lease, so that one lost request does not end it. */
const TIMEOUT_MS = 4_000;
const LONGEST_WORDS = 500;
const APPLY = ['content-type', 'application/apply-patch+yaml'];

/**
 * Applies the whole of what this process says in the status of the view: its entry, or nothing. The field manager is the process, so that
 * the entries of others stay as they are.
 */
export async function applyEntry(
  registry: Registry,
  { view, instance }: RecordsOf,
  entry: VirtualWorkspaceEndpoint | undefined,
): Promise<void> {
  const body = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { name: view },
    ...(entry && { status: { endpoints: [entry] } }),
  };
  const path = `${objectPath(registry, view)}/status${applying(instance)}`;
  await send(registry, { method: 'PATCH', path, headers: APPLY, body }, `patch virtualworkspaces/status "${view}"`);
}

/** The entry of this process as it stands. Undefined: the object has none. */
export async function readEntry(
  registry: Registry,
  { view, instance }: RecordsOf,
): Promise<VirtualWorkspaceEndpoint | undefined> {
  const request = { method: 'GET', path: objectPath(registry, view) };
  const object = (await send(registry, request, `get virtualworkspaces "${view}"`)) as Partial<VirtualWorkspace>;
  return object.status?.endpoints?.find(endpoint => endpoint.instance === instance);
}

/** Creates the lease, or renews it. */
export async function applyLease(registry: Registry, of: RecordsOf, times: LeaseTimes): Promise<void> {
  const namespace = namespaceOf(of.view);
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: of.instance, namespace },
    spec: {
      holderIdentity: of.instance,
      leaseDurationSeconds: times.durationSeconds,
      acquireTime: microTime(times.acquired),
      renewTime: microTime(times.renewed),
    },
  };
  const path = `${leasePath(registry, of)}${applying(of.instance)}`;
  const right = `create and patch leases "${of.instance}" in namespace "${namespace}"`;
  await send(registry, { method: 'PATCH', path, headers: APPLY, body }, right);
}

/** It may be gone already. */
export async function deleteLease(registry: Registry, of: RecordsOf): Promise<void> {
  const right = `delete leases "${of.instance}" in namespace "${namespaceOf(of.view)}"`;
  await send(registry, { method: 'DELETE', path: leasePath(registry, of) }, right).catch(error => {
    if (!(error instanceof RegistryRefusal && error.code === 404)) throw error;
  });
}

const objectPath = ({ basePath }: Registry, view: string): string => `${basePath}${VIRTUAL_WORKSPACES_PATH}/${view}`;

const leasePath = ({ basePath }: Registry, { view, instance }: RecordsOf): string =>
  `${basePath}/apis/coordination.k8s.io/v1/namespaces/${namespaceOf(view)}/leases/${instance}`;

/** Forced: whatever stands under the name of this process is its own to say. */
const applying = (instance: string): string => `?fieldManager=${encodeURIComponent(instance)}&force=true`;

/** `metav1.MicroTime` is read with exactly six digits. */
const microTime = (time: Date): string => time.toISOString().replace('Z', '000Z');

interface RecordRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly string[];
  readonly body?: object;
}

async function send(registry: Registry, { method, path, headers = [], body }: RecordRequest, right: string): Promise<unknown> {
  const request = { method, path, timeout: TIMEOUT_MS, headers: [...headers, 'accept', 'application/json'] };
  const response = await requestText(registry.upstream, { ...request, ...(body && { body: JSON.stringify(body) }) });
  if (response.status >= 200 && response.status < 300) return JSON.parse(response.body);
  throw new RegistryRefusal(
    response.status,
    right,
    `${registry.description} answered ${response.status}: ${words(response.body)}`,
  );
}

/** What a refusal says. Where nothing of the group is installed it is plain text, `404 page not found`, and no Status. */
function words(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // As it is, then.
  }
  return body.slice(0, LONGEST_WORDS).trim() || 'no reason was given';
}
