import { X509Certificate } from 'node:crypto';
import { isRecord } from '@kcp-vw/shared/authn/records.ts';
import type { ClusterAccess } from '@kcp-vw/shared/config/cluster-access.ts';
import { type BackoffOptions, createBackoff } from '@kcp-vw/shared/informer/backoff.ts';
import { type Clock, sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { type JsonResponse, requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';

/** Whom kcp takes this service for. */
export interface OwnIdentity {
  readonly user: string;
  readonly groups: readonly string[];
}

export interface IdentityOptions {
  readonly log: Pick<Logger, 'warn'>;
  /** Aborted: the server is not waited for any longer. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly backoff?: BackoffOptions;
}

const MASTERS = 'system:masters';
const PATH = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const REVIEW = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
const TIMEOUT_MS = 10_000;
const LONGEST_ANSWER = 256 * 1024;
/** These may become another answer without anybody mending the kubeconfig: a workspace that comes up, a server that starts. */
const PASSING = new Set([403, 404, 408, 429]);

/**
 * Throws one sentence when the client certificate is that of masters: what this service asks for its callers must be what its own
 * roles let it, and nothing on a shard is refused to masters.
 */
export function refuseMasters({ cert, file }: Pick<ClusterAccess, 'cert' | 'file'>): void {
  if (cert === undefined) return;
  const subject = new X509Certificate(cert).toLegacyObject().subject as { O?: string | readonly string[] } | undefined;
  const organizations = subject?.O ?? [];
  if (typeof organizations === 'string' ? organizations === MASTERS : organizations.includes(MASTERS)) throw refusal(file);
}

/**
 * Asks kcp who we are, for as long as it cannot be reached. Throws one sentence if it is somebody who is in `system:masters`, or nobody.
 * `workspacePath`: `/clusters/root:compute`.
 */
export async function refusePrivileged(
  access: Pick<ClusterAccess, 'cert' | 'file'>,
  upstream: Upstream,
  workspacePath: string,
  { log, signal = new AbortController().signal, clock = systemClock, backoff = {} }: IdentityOptions,
): Promise<OwnIdentity> {
  refuseMasters(access);
  const waits = createBackoff(clock, backoff);
  while (!signal.aborted) {
    const answer = await ask(upstream, `${workspacePath}${PATH}`, signal);
    if (signal.aborted) break;
    const problem = answer instanceof UpstreamError ? answer.message : problemOf(answer);
    if (problem === undefined) return judged(access.file, (answer as JsonResponse<unknown>).body);
    if (!(answer instanceof UpstreamError) && !isPassing(answer.status)) {
      throw new Error(`kubeconfig ${access.file}: kcp does not say whose it is: ${problem}`);
    }
    log.warn({ server: upstream.name, problem }, 'kcp cannot be asked yet who this service is; trying again');
    await sleep(clock, waits.next(), signal);
  }
  throw new Error(`kubeconfig ${access.file}: nobody waits any more to know whose it is`);
}

async function ask(upstream: Upstream, path: string, signal: AbortSignal): Promise<JsonResponse<unknown> | UpstreamError> {
  try {
    const request = { method: 'POST', path, body: REVIEW, timeout: TIMEOUT_MS, maxBytes: LONGEST_ANSWER, signal };
    return await requestJson<unknown>(upstream, request);
  } catch (error) {
    if (error instanceof UpstreamError) return error;
    throw error;
  }
}

const isPassing = (status: number): boolean => status >= 500 || PASSING.has(status);

function problemOf({ status, body }: JsonResponse<unknown>): string | undefined {
  if (status === 200 || status === 201) return undefined;
  const message = isRecord(body) && typeof body.message === 'string' ? body.message : 'without a reason';
  return `it answered ${status}: ${message}`;
}

function judged(file: string, body: unknown): OwnIdentity {
  const status = isRecord(body) && isRecord(body.status) ? body.status : {};
  const { username, groups = [] } = isRecord(status.userInfo) ? status.userInfo : {};
  const isWhole = typeof username === 'string' && username !== '' && Array.isArray(groups);
  if (!isWhole || !groups.every(group => typeof group === 'string')) {
    throw new Error(`kubeconfig ${file}: kcp does not say whose it is: its answer names no user`);
  }
  if (groups.includes(MASTERS)) throw refusal(file);
  return Object.freeze({ user: username, groups: Object.freeze([...groups]) });
}

const refusal = (file: string): Error =>
  new Error(`kubeconfig ${file} is one of ${MASTERS}, with which syncer-vw does not run: give it that of a service account`);
