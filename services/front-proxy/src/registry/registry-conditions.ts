import { isDeepStrictEqual } from 'node:util';
import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import { type Condition, GROUP, KIND, VERSION, VIRTUAL_WORKSPACES_PATH } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { RegisteredAddresses, ViewReport } from './registered-addresses.ts';

/** Front proxies are one author: what the last of them says counts. */
export const CONDITIONS_MANAGER = 'kcp-vw-front-proxy';

type Said = Omit<Condition, 'lastTransitionTime'>;

/** Refusals that are told one by one. */
const MAX_TOLD = 10;

/** What the front proxy makes of a view. Sorted by type, as it is written. */
export function conditionsOf({ object, endpoints }: ViewReport): readonly Said[] {
  const generation = object.metadata?.generation;
  const observed = typeof generation === 'number' ? { observedGeneration: generation } : {};
  const said = (type: string, [status, reason, message]: Verdict): Said => ({ type, status, reason, message, ...observed });
  return [said('Available', availability(endpoints)), said('EndpointsAccepted', acceptance(endpoints))];
}

type Verdict = readonly [status: Condition['status'], reason: string, message: string];

function availability(endpoints: ViewReport['endpoints']): Verdict {
  const inForce = endpoints.filter(one => 'address' in one && one.isAlive);
  const ready = inForce.filter(one => 'address' in one && one.address.ready);
  if (ready.length > 0) return ['True', 'EndpointReady', `${ready.length} of ${endpoints.length} endpoints are ready`];
  if (endpoints.length === 0) return ['False', 'NoEndpoints', 'no process has registered'];
  if (inForce.length > 0) return ['False', 'NoneReady', `none of ${endpoints.length} endpoints is ready`];
  return endpoints.some(one => 'address' in one)
    ? ['False', 'LeasesExpired', `none of ${endpoints.length} endpoints has renewed its lease`]
    : ['False', 'NoneAccepted', `none of ${endpoints.length} endpoints is accepted`];
}

function acceptance(endpoints: ViewReport['endpoints']): Verdict {
  const refused = endpoints.flatMap(one => ('refusal' in one ? `${one.instance}: ${one.refusal}` : [])).sort();
  if (refused.length === 0) return ['True', 'AllAccepted', 'no endpoint is refused'];
  const more = refused.length > MAX_TOLD ? [`and ${refused.length - MAX_TOLD} more`] : [];
  return ['False', 'EndpointsRefused', [...refused.slice(0, MAX_TOLD), ...more].join('; ')];
}

export interface WriteConditionsOptions {
  readonly registry: Pick<Registry, 'upstream' | 'basePath'>;
  readonly registered: Pick<RegisteredAddresses, 'reports' | 'onChange'>;
  readonly log: Pick<Logger, 'warn'>;
  readonly clock?: Clock;
  /** Wall-clock time. */
  readonly date?: () => Date;
}

const TIMEOUT_MS = 5_000;
/** Milliseconds between two writes of one object. */
const PAUSE_MS = 5_000;
/** Milliseconds until an object is written again that this front proxy may not write. */
const FORBIDDEN_PAUSE_MS = 600_000;

/** An object, and what was said of it last. */
interface Told {
  readonly uid: string | undefined;
  said: readonly Said[] | undefined;
  /** The write that is planned, or under way. */
  cancel: (() => void) | undefined;
  /** Of the clock. */
  earliest: number;
}

/**
 * Writes what this front proxy makes of each view into its status, when that changes. What another one has written since stays: two of different
 * opinions would otherwise overwrite each other for ever. Returns how to stop.
 */
export function writeConditions(options: WriteConditionsOptions): () => void {
  const { registry, registered, log, clock = systemClock, date = () => new Date() } = options;
  const told = new Map<string, Told>();
  let isOver = false;
  let complained = false;

  const complain = (fields: object, message: string): void => {
    if (!complained) log.warn(fields, message);
    complained = true;
  };
  const write = async (view: string, one: Told): Promise<void> => {
    const report = registered.reports().find(({ object }) => object.metadata?.name === view);
    if (isOver || told.get(view) !== one || report === undefined) return;
    const said = conditionsOf(report);
    one.earliest = clock.now() + PAUSE_MS;
    try {
      const { status, body } = await apply(registry, view, withTimes(said, report, date()));
      if (status === 403) {
        one.earliest = clock.now() + FORBIDDEN_PAUSE_MS;
        complain({ view, answer: body.slice(0, 500) }, 'the conditions of a view are not written, for this front proxy may not');
      } else {
        // Deleted meanwhile; made again it is another object.
        if (status !== 404 && status !== 200) throw new Error(`the registry answered ${status}: ${body.slice(0, 500)}`);
        one.said = said;
        complained = false;
      }
    } catch (err) {
      if (!isOver) complain({ err, view }, 'the conditions of a view could not be written; trying again');
    } finally {
      one.cancel = undefined;
    }
    // It may have changed while it was written, or could not be.
    look();
  };
  const stop = (): void => {
    isOver = true;
    for (const { cancel } of told.values()) cancel?.();
    unsubscribe();
  };
  const lookAt = (report: ViewReport): void => {
    const { name = '', uid } = report.object.metadata ?? {};
    const known = told.get(name);
    if (known !== undefined && known.uid !== uid) known.cancel?.();
    const one = known?.uid === uid && known ? known : { uid, said: undefined, cancel: undefined, earliest: known?.earliest ?? 0 };
    told.set(name, one);
    const said = conditionsOf(report);
    if (one.cancel !== undefined || isDeepStrictEqual(one.said, said)) return;
    // Only at first: the report may be older than what was written here last.
    if (one.said === undefined && isWritten(said, report)) {
      one.said = said;
      return;
    }
    one.cancel = clock.after(Math.max(0, one.earliest - clock.now()), () => void write(name, one));
  };
  const look = (): void => {
    if (isOver) return;
    const reports = registered.reports();
    const names = new Set(reports.map(({ object }) => object.metadata?.name));
    for (const [name, { cancel }] of told) {
      if (names.has(name)) continue;
      cancel?.();
      told.delete(name);
    }
    for (const report of reports) lookAt(report);
  };
  const unsubscribe = registered.onChange(look);
  look();
  return stop;
}

const storedOf = ({ object }: ViewReport, type: string): Condition | undefined =>
  object.status?.conditions?.find(condition => condition.type === type);

const isWritten = (said: readonly Said[], report: ViewReport): boolean =>
  said.every(one => {
    const { lastTransitionTime: _, ...stored } = storedOf(report, one.type) ?? {};
    return isDeepStrictEqual(stored, one);
  });

const withTimes = (said: readonly Said[], report: ViewReport, now: Date): readonly Condition[] =>
  said.map(one => {
    const stored = storedOf(report, one.type);
    const isSame = stored !== undefined && stored.status === one.status;
    return { ...one, lastTransitionTime: isSame ? stored.lastTransitionTime : now.toISOString().replace(/\.\d+/, '') };
  });

function apply({ upstream, basePath }: Pick<Registry, 'upstream' | 'basePath'>, view: string, conditions: readonly Condition[]) {
  return requestText(upstream, {
    method: 'PATCH',
    path: `${basePath}${VIRTUAL_WORKSPACES_PATH}/${view}/status?fieldManager=${CONDITIONS_MANAGER}&force=true`,
    headers: ['content-type', 'application/apply-patch+yaml', 'accept', 'application/json'],
    body: JSON.stringify({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name: view }, status: { conditions } }),
    timeout: TIMEOUT_MS,
  });
}
