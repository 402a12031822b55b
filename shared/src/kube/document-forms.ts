import { type AggregatedVersion, aggregatedDiscovery, type DiscoveryRoot } from './aggregated-discovery.ts';
import type { ApiResource } from './discovery.ts';
import { discoveryProtobuf } from './discovery-protobuf.ts';
import { notAcceptable } from './errors.ts';
import { JSON_MEDIA_TYPE, PROTOBUF_MEDIA_TYPE, type Preference, parseAccept, YAML_MEDIA_TYPE } from './media-type.ts';
import { type PreparedDocument, prepare, prepareBytes } from './prepared.ts';
import { printYaml } from './yaml-print.ts';

/** One way in which a document can be had. */
export interface DocumentForm {
  readonly mediaType: string;
  /** What the document is turned into, as Accept asks for it: `g`, `v`, `as`. */
  readonly transform?: Readonly<Record<'g' | 'v' | 'as', string>>;
  /** Makes the bytes; the caller keeps them. */
  make(): PreparedDocument;
}

/** The `Content-Type` of a form: client-go looks for the parameters there, in this order. */
export function contentTypeOf({ mediaType, transform }: DocumentForm): string {
  return transform === undefined ? mediaType : `${mediaType};g=${transform.g};v=${transform.v};as=${transform.as}`;
}

/**
 * What the client likes best of the forms; without an Accept header the first. Throws a StatusError 406 that lists their media types.
 *
 * As `NegotiateMediaTypeOptions` of k8s.io/apiserver: an alternative with parameters that no form has is passed over.
 */
export function chooseForm<Form extends DocumentForm>(accept: string | undefined, forms: readonly Form[]): Form {
  const [first] = forms;
  if (!accept && first !== undefined) return first;
  for (const preference of parseAccept(accept ?? '')) {
    const found = forms.find(form => covers(preference, form));
    if (found !== undefined) return found;
  }
  throw notAcceptable([...new Set(forms.map(form => form.mediaType))]);
}

function covers({ type, subtype, parameters }: Preference, { mediaType, transform }: DocumentForm): boolean {
  const [offeredType, offeredSubtype] = mediaType.split('/', 2);
  if ((type !== '*' && type !== offeredType) || (subtype !== '*' && subtype !== offeredSubtype)) return false;
  // No other stream schema exists, and no API group offers a server version.
  if (!['watch', undefined].includes(parameters.get('stream')) || parameters.has('sv')) return false;
  return TRANSFORM_PARAMETERS.every(name => parameters.get(name) === transform?.[name]);
}

const TRANSFORM_PARAMETERS = ['g', 'v', 'as'] as const;

export const jsonForm = (document: PreparedDocument): DocumentForm => ({ mediaType: JSON_MEDIA_TYPE, make: () => document });

/** JSON, YAML and protobuf: the forms of a legacy discovery document. */
export const discoveryForms = (document: PreparedDocument): readonly DocumentForm[] => [
  jsonForm(document),
  { mediaType: YAML_MEDIA_TYPE, make: () => yamlOf(JSON.parse(document.body.toString())) },
  {
    mediaType: PROTOBUF_MEDIA_TYPE,
    make: () => prepareBytes(discoveryProtobuf(JSON.parse(document.body.toString()))),
  },
];

const yamlOf = (document: object): PreparedDocument => prepareBytes(Buffer.from(printYaml(document)));

const AGGREGATED_VERSIONS: readonly AggregatedVersion[] = ['v2', 'v2beta1'];

/** Aggregated discovery, which `/api` and `/apis` turn into for clients that ask for it. */
export const aggregatedForms = (resources: readonly ApiResource[], root: DiscoveryRoot): readonly DocumentForm[] =>
  AGGREGATED_VERSIONS.flatMap(version => {
    const transform = { g: 'apidiscovery.k8s.io', v: version, as: 'APIGroupDiscoveryList' };
    const make = (): object => aggregatedDiscovery(resources, root, version);
    return [
      { mediaType: JSON_MEDIA_TYPE, transform, make: () => prepare(make()) },
      { mediaType: YAML_MEDIA_TYPE, transform, make: () => yamlOf(make()) },
    ];
  });
