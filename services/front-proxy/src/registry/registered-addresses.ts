import { isDeepStrictEqual } from 'node:util';
import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createInformer, type InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import { VIRTUAL_WORKSPACES_PATH, type VirtualWorkspace } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { type AddressSource, keyOf, type UrlAddress } from '../addresses/addresses.ts';
import { isInstanceName, type JudgedEndpoint, type Judgement, judgeEndpoints } from './judged-endpoints.ts';
import { followLiveness, type InstanceOfView } from './liveness.ts';

export interface RegisteredAddressesOptions {
  readonly registry: Pick<Registry, 'upstream' | 'basePath'>;
  /** Asked for whenever something is judged. */
  readonly judgement: () => Judgement;
  readonly leaseSeconds: number;
  readonly clock?: Clock;
  readonly onError: (error: Error) => void;
}

/** An entry, what is thought of it, and whether its process is alive. */
export type RegisteredEndpoint = JudgedEndpoint & { readonly isAlive: boolean };

export interface ViewReport {
  readonly object: VirtualWorkspace;
  readonly endpoints: readonly RegisteredEndpoint[];
}

/** What the registry says, as long as it says anything: without it the last good addresses stay. */
export interface RegisteredAddresses extends AddressSource {
  /** A complete list of the views has been read. */
  synced(): boolean;
  /** Each view that is in the registry now. */
  reports(): readonly ViewReport[];
  /** Entries whose processes have been dead for so many milliseconds. */
  deadFor(milliseconds: number): readonly InstanceOfView[];
  /** Judges everything again: what it is judged by has changed. */
  judgeAgain(): void;
}

/** Milliseconds that a view stays when its object is deleted, in case that it is made again. */
const DELETED_STAYS_MS = 10_000;
/** Milliseconds between two judgements of a view: whoever may write its object may do so all the time. */
const PAUSE_MS = 1_000;

interface View {
  /** Undefined: deleted a moment ago. */
  object: VirtualWorkspace | undefined;
  /** Of the object before this one, as long as its entries stand in for those that are not written again yet. */
  before: VirtualWorkspace | undefined;
  forget: () => void;
  /** The object that `endpoints` are of. */
  judged: VirtualWorkspace | undefined;
  /** Of the clock. */
  judgedAt: number;
  /** Prevents the judgement that is planned; undefined: none is. */
  cancel: (() => void) | undefined;
  endpoints: readonly RegisteredEndpoint[];
  addresses: readonly UrlAddress[];
  /** Who listens is told when it changes. */
  summary: unknown;
}

export function registeredAddresses(options: RegisteredAddressesOptions): RegisteredAddresses {
  const { registry, judgement, leaseSeconds, clock = systemClock, onError } = options;
  const views = new Map<string, View>();
  const listeners = new Set<() => void>();
  const liveness = followLiveness({ registry, leaseSeconds, clock, onError });
  const objects = createInformer<VirtualWorkspace>({
    upstream: registry.upstream,
    path: `${registry.basePath}${VIRTUAL_WORKSPACES_PATH}`,
    name: 'VirtualWorkspaces of the registry',
    project: virtualWorkspaceOf,
    clock,
    onError,
  });

  const judge = (name: string, view: View): void => {
    const { object, before } = view;
    const own = object?.status?.endpoints ?? [];
    const entries = own.length > 0 ? own : (before?.status?.endpoints ?? []);
    liveness.expect(name, entries.map(({ instance }) => instance).filter(isInstanceName));
    const isAlive = (instance: string): boolean => liveness.isAlive({ view: name, instance });
    const judged = judgeEndpoints(name, (object ?? before)?.spec, entries, judgement(), isAlive);
    const endpoints = judged.map(one => ({ ...one, isAlive: isAlive(one.instance) }));
    const addresses = endpoints.flatMap(one => ('address' in one && one.isAlive ? one.address : []));
    const summary = summaryOf(object, endpoints);
    const isSame = isDeepStrictEqual(view.summary, summary) && views.get(name) === view;
    view.cancel?.();
    Object.assign(view, { judged: object, judgedAt: clock.now(), cancel: undefined, endpoints, addresses, summary });
    views.set(name, view);
    if (!isSame) for (const listener of [...listeners]) listener();
  };
  /** At once, or as soon as it may be judged again, by what it is then. */
  const judgeSoon = (name: string, view: View): void => {
    if (view.cancel) return;
    const wait = view.judgedAt + PAUSE_MS - clock.now();
    if (wait <= 0) judge(name, view);
    else view.cancel = clock.after(wait, () => judge(name, view));
  };
  const remove = (name: string): void => {
    views.get(name)?.cancel?.();
    liveness.expect(name, []);
    if (views.delete(name)) for (const listener of [...listeners]) listener();
  };

  const forgetBefore = (name: string, view: View): void => {
    view.before = undefined;
    judge(name, view);
  };

  const onObject = ({ type, object }: InformerEvent<VirtualWorkspace>): void => {
    const name = object.metadata?.name ?? '';
    const view = views.get(name) ?? newView();
    if (type === 'DELETED') {
      view.forget();
      const before = (object.status?.endpoints ?? []).length > 0 ? object : view.before;
      Object.assign(view, { object: undefined, before, forget: clock.after(DELETED_STAYS_MS, () => remove(name)) });
    } else {
      if (view.object === undefined) {
        view.forget();
        // Its processes notice when they renew their leases that their entries are gone.
        if (view.before) view.forget = clock.after(leaseSeconds * 1_000, () => forgetBefore(name, view));
      }
      view.object = object;
      if ((object.status?.endpoints ?? []).length > 0) view.before = undefined;
    }
    judgeSoon(name, view);
  };

  const judgeAgain = (): void => {
    for (const [name, view] of views) judge(name, view);
  };
  liveness.onChange(name => {
    const view = views.get(name);
    if (view) judgeSoon(name, view);
  });
  objects.onEvent(onObject);
  objects.start();

  return {
    // Before the first list nobody knows what there is: a request waits, and is told to come back, instead of being told that there is no such view.
    addressesOf: view => views.get(view)?.addresses ?? (objects.synced() ? undefined : []),
    views: () => [...views.keys()],
    synced: () => objects.synced(),
    reports: () =>
      [...views.values()].flatMap(({ object, judged, endpoints }) => (object && judged ? { object: judged, endpoints } : [])),
    deadFor: milliseconds => liveness.deadFor(milliseconds),
    judgeAgain,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      objects.stop();
      liveness.close();
      for (const { forget, cancel } of views.values()) {
        forget();
        cancel?.();
      }
    },
  };
}

const newView = (): View => ({
  object: undefined,
  before: undefined,
  forget: () => undefined,
  judged: undefined,
  judgedAt: Number.NEGATIVE_INFINITY,
  cancel: undefined,
  endpoints: [],
  addresses: [],
  summary: undefined,
});

/** What it takes for two judgements to be the same for whoever uses them. */
const summaryOf = (object: VirtualWorkspace | undefined, endpoints: readonly RegisteredEndpoint[]): unknown => [
  object?.metadata?.uid,
  object?.metadata?.generation,
  ...endpoints.map(one => [
    one.instance,
    one.isAlive,
    'address' in one ? [keyOf(one.address), one.address.shard, one.address.ready] : one.refusal,
  ]),
];

/** Without what is not looked at here; managedFields grow with each instance. A registry without the schema is no registry: nothing else is believed. */
function virtualWorkspaceOf(object: KubeObject): VirtualWorkspace {
  const { managedFields, ...metadata } = object.metadata ?? {};
  const { spec, status } = object as Partial<VirtualWorkspace>;
  return { metadata, spec: spec ?? { path: '' }, ...(status && { status }) };
}
