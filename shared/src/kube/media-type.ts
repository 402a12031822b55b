import { notAcceptable } from './errors.ts';
import type { MetaVersion } from './partial-metadata.ts';

export const JSON_MEDIA_TYPE = 'application/json';
export const YAML_MEDIA_TYPE = 'application/yaml';
export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf';

export type TransformKind = 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

/** What a client wants an answer to be turned into: `as=Table;v=v1;g=meta.k8s.io`. */
export interface MediaTransform {
  readonly kind: TransformKind;
  readonly version: MetaVersion;
}

/** A media type that can be answered with, as it is and turned into `as`. */
export interface Offer {
  readonly mediaType: string;
  /** Whether untransformed objects are offered. Default true. */
  readonly plain?: boolean;
  readonly as?: readonly TransformKind[];
}

/** What an API server offers for the objects of a custom resource. */
export const OBJECT_OFFERS: readonly Offer[] = [
  { mediaType: JSON_MEDIA_TYPE, as: ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] },
  { mediaType: YAML_MEDIA_TYPE, as: ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] },
];
/** The same for those whose answers we make ourselves, which are JSON. */
export const JSON_OFFERS: readonly Offer[] = OBJECT_OFFERS.slice(0, 1);

/** One alternative of an Accept header. */
export interface Preference {
  readonly type: string;
  readonly subtype: string;
  /** 0 excluded, to 1. */
  readonly q: number;
  /** Without `q`, by name as sent. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The alternative as sent, trimmed. */
  readonly text: string;
}

/**
 * The alternatives of an Accept header, best first: by `q`, then the specific before wildcards, then as sent. Split as the API server's
 * goautoneg splits it (no quoted strings); what is no media type is left out, and so is `q=0` (RFC 9110 §12.5.1).
 */
export function parseAccept(accept: string): readonly Preference[] {
  const found = accept.split(',').flatMap(text => parsePreference(text.trim()));
  return found.sort((a, b) => b.q - a.q || wildcards(a) - wildcards(b));
}

const wildcards = ({ type, subtype }: Preference): number => Number(type === '*') + Number(subtype === '*');

function parsePreference(text: string): Preference[] {
  const [mediaType = '', ...rest] = text.split(';').map(part => part.trim());
  const [type = '', subtype = type === '*' ? '*' : '', ...more] = mediaType.split('/').map(part => part.trim());
  if (type === '' || subtype === '' || more.length > 0) return [];
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const [name = '', value = '', ...excess] = part.split('=').map(one => one.trim());
    if (value !== '' && excess.length === 0) parameters.set(name, value);
  }
  const q = quality(parameters.get('q'));
  parameters.delete('q');
  return q > 0 ? [{ type, subtype, q, parameters, text }] : [];
}

function quality(text: string | undefined): number {
  if (text === undefined) return 1;
  const q = /^\d*\.?\d+$|^\d+\.$/.test(text) ? Number(text) : 0;
  return Math.min(q, 1);
}

/** What is answered: the offered media type, and what to turn objects into. */
export interface Negotiated {
  readonly mediaType: string;
  readonly as?: MediaTransform;
  /** `pretty=1`: indented for people. */
  readonly pretty: boolean;
}

/**
 * Chooses from the offers what the client likes best; without an Accept header the first. Throws a StatusError 406 that lists them.
 *
 * As `NegotiateMediaTypeOptions` of k8s.io/apiserver: an alternative that wants an unknown transformation is passed over, and so the next
 * one counts (`application/json;as=Table;v=v1;g=meta.k8s.io,application/json`).
 */
export function negotiate(accept: string | undefined, offered: readonly Offer[]): Negotiated {
  const [first] = offered;
  if (!accept && first !== undefined) return { mediaType: first.mediaType, pretty: false };
  for (const preference of parseAccept(accept ?? '')) {
    for (const offer of offered) {
      const found = covers(preference, offer.mediaType) ? accepted(preference, offer) : undefined;
      if (found !== undefined) return found;
    }
  }
  throw notAcceptable([...new Set(offered.map(offer => offer.mediaType))]);
}

function covers({ type, subtype }: Preference, mediaType: string): boolean {
  if (type === '*') return subtype === '*';
  return subtype === '*' ? mediaType.startsWith(`${type}/`) : mediaType === `${type}/${subtype}`;
}

function accepted({ parameters }: Preference, { mediaType, plain = true, as = [] }: Offer): Negotiated | undefined {
  // No other stream schema exists, and no API group offers a server version.
  if (!['watch', undefined].includes(parameters.get('stream')) || parameters.has('sv')) return undefined;
  const pretty = parameters.get('pretty') === '1';
  if (!['as', 'g', 'v'].some(name => parameters.has(name))) return plain ? { mediaType, pretty } : undefined;
  const transform = transformOf(parameters);
  return transform !== undefined && as.includes(transform.kind) ? { mediaType, as: transform, pretty } : undefined;
}

const TRANSFORM_KINDS: readonly TransformKind[] = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];
const META_VERSIONS: readonly MetaVersion[] = ['v1', 'v1beta1'];

function transformOf(parameters: ReadonlyMap<string, string>): MediaTransform | undefined {
  const kind = TRANSFORM_KINDS.find(one => one === parameters.get('as'));
  const version = META_VERSIONS.find(one => one === parameters.get('v'));
  return kind && version && parameters.get('g') === 'meta.k8s.io' ? { kind, version } : undefined;
}

/** All that an API server might answer with, when only the transformation is of interest. */
const ANY_OFFER: readonly Offer[] = [
  ...OBJECT_OFFERS,
  { mediaType: PROTOBUF_MEDIA_TYPE, as: ['PartialObjectMetadata', 'PartialObjectMetadataList'] },
];

/** The transformation that an API server would give the client; undefined: plain objects. Throws a StatusError 406 like `negotiate`. */
export const wantedTransform = (accept: string | undefined): MediaTransform | undefined => negotiate(accept, ANY_OFFER).as;

/**
 * The Accept header to send when the answer must be parsed here: the JSON alternatives, as sent and in their order, a wildcard made
 * JSON. Throws a StatusError 406 when none remains.
 */
export function jsonOnlyAccept(accept: string | undefined): string {
  if (!accept) return JSON_MEDIA_TYPE;
  const kept = accept
    .split(',')
    .flatMap(text => parsePreference(text.trim()))
    .filter(one => covers(one, JSON_MEDIA_TYPE));
  if (kept.length === 0) throw notAcceptable([JSON_MEDIA_TYPE]);
  return kept.map(({ text }) => [JSON_MEDIA_TYPE, ...text.split(';').slice(1)].join(';')).join(',');
}

/** How to ask for what must be parsed here, and the media type in which the client gets it. */
export interface ParsedForm {
  readonly accept: string;
  readonly mediaType: typeof JSON_MEDIA_TYPE | typeof YAML_MEDIA_TYPE;
}

/** As an API server would choose for custom resources: JSON or YAML. Throws a StatusError 406 when the client takes neither. */
export function parsedForm(accept: string | undefined): ParsedForm {
  const { mediaType, as } = negotiate(accept, OBJECT_OFFERS);
  if (mediaType !== YAML_MEDIA_TYPE) return { accept: jsonOnlyAccept(accept), mediaType: JSON_MEDIA_TYPE };
  const transform = as === undefined ? '' : `;as=${as.kind};g=meta.k8s.io;v=${as.version}`;
  return { accept: `${JSON_MEDIA_TYPE}${transform}`, mediaType };
}
