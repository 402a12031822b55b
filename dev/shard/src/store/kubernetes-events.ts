/** Events are the same objects in two API groups, which call their fields by different names. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { AGE, builtIn, text } from './built-in.ts';
import type { ResourceDefinition } from './definition.ts';

/** Field of the legacy group, in which events are stored → the same in `events.k8s.io`. */
const NAMES: readonly (readonly [legacy: string, current: string])[] = [
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['involvedObject', 'regarding'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
];
const TO_CURRENT = new Map(NAMES);
const TO_LEGACY = new Map(NAMES.map(([legacy, current]) => [current, legacy]));

const LEGACY_VERSION = 'v1';

/** What Go writes though it is empty. */
const LEGACY_DEFAULTS = { firstTimestamp: null, lastTimestamp: null, eventTime: null, source: {} };

function convertEvent({ apiVersion: _version, kind, metadata, ...fields }: KubeObject, apiVersion: string): KubeObject {
  const isLegacy = apiVersion === LEGACY_VERSION;
  const names = isLegacy ? TO_LEGACY : TO_CURRENT;
  const isSaid = (value: unknown): boolean =>
    value !== null && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0);
  const renamed = Object.entries(fields)
    .filter(([, value]) => isSaid(value))
    .map(([name, value]) => [names.get(name) ?? name, value]);
  return {
    apiVersion,
    ...(kind !== undefined && { kind }),
    ...(metadata && { metadata }),
    ...(isLegacy ? { ...LEGACY_DEFAULTS, reportingComponent: '', reportingInstance: '' } : { eventTime: null }),
    ...Object.fromEntries(renamed),
  };
}

const read = (path: string) => (object: KubeObject) => {
  const found = path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object);
  return String(found ?? '');
};

const REFERENCE_FIELDS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
const plain = Object.fromEntries(['type', 'reason'].map(field => [field, read(field)]));
const about = (prefix: string) =>
  Object.fromEntries(REFERENCE_FIELDS.map(field => [`${prefix}.${field}`, read(`involvedObject.${field}`)]));

const EVENTS = { resource: 'events', singular: 'event', kind: 'Event', namespaced: true, shortNames: ['ev'] } as const;

const LEGACY: ResourceDefinition = builtIn({
  ...EVENTS,
  group: '',
  columns: [text('Type', '.type'), text('Reason', '.reason'), text('Message', '.message'), AGE],
  selectableFields: { ...plain, ...about('involvedObject'), reportingComponent: read('reportingComponent') },
});

export const EVENT_RESOURCES: readonly ResourceDefinition[] = [
  LEGACY,
  builtIn({
    ...EVENTS,
    group: 'events.k8s.io',
    columns: [text('Type', '.type'), text('Reason', '.reason'), text('Message', '.note'), AGE],
    selectableFields: { ...plain, ...about('regarding'), reportingController: read('reportingComponent') },
    storedAs: LEGACY,
    convert: convertEvent,
  }),
];
