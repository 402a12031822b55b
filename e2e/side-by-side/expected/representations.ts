import { withoutHeader, withoutItemKinds } from '../changes.ts';
import { badRequest, holds, notAcceptable, refused } from './answers.ts';
import type { Expected } from './expected.ts';

const META = 'g=meta\\.k8s\\.io;v=v1';
const PROTOBUF = 'application/vnd\\.kubernetes\\.protobuf';
const METADATA = `${PROTOBUF};as=PartialObjectMetadata;${META}`;
const LIST_METADATA = `${PROTOBUF};as=PartialObjectMetadataList;${META}`;

/** Answered in protobuf by a shard, and by kcp's view not at all. */
const SERVED_IN_PROTOBUF = [
  `accept/(list|configmap list) as ${LIST_METADATA}$`,
  `accept/get as ${METADATA}$`,
  `accept/configmap list as ${PROTOBUF}$`,
].join('|');
const NOT_FOUND_IN_PROTOBUF = `accept/missing object as ${METADATA}$`;
/** Refused here in kcp's words. */
const ALIKE = [
  `accept/(get|missing object|wildcard list) as ${LIST_METADATA}$`,
  `(accept/wildcard list |watches/)as ${METADATA}$`,
].join('|');
/** kcp's view and the shard say the same. */
const LIST_AS_ONE = `accept/(wildcard list|list) as application/json;as=PartialObjectMetadata;${META}$`;

const NOT_ACCEPTED = 'media types that are not acceptable';
const NOT_SUPPORTED = 'media types of bodies that are not supported';
const IN_PROTOBUF = 'answers in protobuf';

export const representations: readonly Expected[] = [
  {
    what: NOT_ACCEPTED,
    rows: new RegExp(
      `^(?!${SERVED_IN_PROTOBUF}|${NOT_FOUND_IN_PROTOBUF}|${ALIKE}|${LIST_AS_ONE})` +
        '(accept/(wildcard list|list|get|configmap list|missing object)|watches/as|lifecycle reads/initializing: list as)',
    ),
    when: ({ status }) => status === 406,
    answer: { status: 406 },
  },
  { what: NOT_ACCEPTED, rows: /^accept\/configmap list as application\/\*$/, answer: { status: 406 } },
  {
    what: 'a media type of `q=0`',
    rows: /^accept\/(discovery|core resources) as application\/json;q=0$/,
    answer: notAcceptable,
  },
  { what: IN_PROTOBUF, rows: new RegExp(`^(${SERVED_IN_PROTOBUF})`), answer: { status: 200 } },
  { what: IN_PROTOBUF, rows: new RegExp(`^${NOT_FOUND_IN_PROTOBUF}`), answer: { status: 404 } },
  { what: IN_PROTOBUF, rows: new RegExp(`^accept/configmap list as ${PROTOBUF},application/json$`), answer: { status: 200 } },
  { what: IN_PROTOBUF, rows: new RegExp(`^accept/missing object as ${PROTOBUF},application/json$`), answer: { status: 404 } },
  { what: IN_PROTOBUF, rows: /^content types\/protobuf: configmap, answer in protobuf/, answer: { status: 201 } },
  {
    what: 'one object as the metadata of a list',
    rows: /^(accept\/(get|missing object)|schemas\/get|lifecycle reads\/.*: get) as .*as=PartialObjectMetadataList/,
    when: ({ status }) => status !== 406,
    answer: notAcceptable,
  },
  {
    what: 'a watch as the metadata of a list',
    rows: /^watches\/as application\/json;as=PartialObjectMetadataList/,
    answer: notAcceptable,
  },
  {
    what: 'metadata of all logical clusters in protobuf',
    rows: new RegExp(`^accept/wildcard list as ${LIST_METADATA},application/json;`),
    answer: { status: 200, body: { kind: 'PartialObjectMetadataList' } },
  },
  {
    what: 'columns of Tables',
    rows: /^accept\/configmap list as application\/(json|yaml);as=Table;(g=meta\.k8s\.io;v=v1(beta1)?|v=v1;g=.*)$|^accept\/Table of (wild|law|coordination)/,
    when: ({ status }) => status === 200,
    answer: { status: 200, body: { kind: 'Table' } },
  },
  {
    what: 'items in lists of built-in resources',
    rows: /^(?!accept\/configmap list as application\/\*)/,
    when: holds(
      /"items":\[\{"apiVersion".*"kind":"(ConfigMap|Secret|ServiceAccount|Event|Lease|Namespace|ResourceQuota|CustomResourceDefinition)List"/,
    ),
    without: withoutItemKinds,
  },
  {
    what: NOT_SUPPORTED,
    rows: /^content types\/((JSON|YAML) of a configmap as |protobuf: patch$)/,
    when: ({ status }) => status === 415,
    answer: refused(415, 'UnsupportedMediaType'),
  },
  {
    what: 'protobuf bodies that are no object of the kind',
    rows: /^content types\/(JSON of a configmap as application\/vnd|protobuf: (another kind|an unknown kind|no message|no magic|nothing)$)/,
    answer: badRequest,
  },
  {
    what: 'warnings of a request that is refused',
    rows: /^writes\/create of another version$/,
    without: withoutHeader('warning'),
  },
];
