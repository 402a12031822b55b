/** What the consumers of the export hold. */
import type { Claim, OfferedResource } from '@kcp-vw/e2e/support/exports.ts';
import { settings } from '../objects.ts';

export const CONSUMER_COUNT = 10;
/** Of each consumer. */
export const WIDGET_COUNT = 500;
/** Claimed objects of the first consumer. */
export const CONFIG_MAP_COUNT = 500;
/** As many as requests are under way at a time: each changes an object of its own, so that none waits for another's. */
export const LANE_COUNT = 16;

export const GROUP = 'bench.example.dev';
export const VERSION = 'v1';
const offered = (plural: string, kind: string): OfferedResource => ({ group: GROUP, plural, kind });

/** Widgets are read, gadgets are written, signals are watched. */
export const RESOURCES: readonly OfferedResource[] = [
  offered('widgets', 'Widget'),
  offered('gadgets', 'Gadget'),
  offered('signals', 'Signal'),
];

const ALL_VERBS = ['*'];
export const CONFIG_MAPS: Claim = { group: '', resource: 'configmaps', verbs: ALL_VERBS };
/** Claimed where they carry the label. */
export const SECRETS: Claim = { group: '', resource: 'secrets', verbs: ALL_VERBS };
export const TEAM = { team: 'bench' };

/** The namespace of everything that is measured. */
export const NAMESPACE = 'bench';
/** The annotation that a write changes: one that changes nothing is not stored. */
const RUN = `${GROUP}/run`;

const apiVersion = `${GROUP}/${VERSION}`;

/** As JSON, like all that follow. */
export const exported = (kind: 'Widget' | 'Gadget' | 'Signal', name: string, seed?: number): string =>
  JSON.stringify({ apiVersion, kind, metadata: { name }, spec: { text: settings(seed), number: 1 } });

export const secret = (name: string, run: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels: TEAM, annotations: { [RUN]: run } },
    type: 'Opaque',
    data: { settings: Buffer.from(settings()).toString('base64') },
  });

/** A merge patch. */
export const changed = (run: string): string => JSON.stringify({ metadata: { annotations: { [RUN]: run } } });
