import { withoutBodyField } from '../changes.ts';
import type { Answer } from '../normalise.ts';
import { badRequest, forbidden, notFound, notServed, refused } from './answers.ts';
import type { Expected } from './expected.ts';

const ODD_PATHS = 'paths with `//`, `/../`, encoded slashes in the prefix, backslashes';
const BARE_CLUSTER = '`/clusters/<name>` without more';

/** The three ways in which kcp says it: Go's router, its list of all paths, and an error of a client that got the former. */
const saysNothing = ({ body, status }: Answer): boolean =>
  status === 404 && (body === '404 page not found\n' || /UnexpectedServerResponse|"paths":\[/.test(JSON.stringify(body)));

export const paths: readonly Expected[] = [
  {
    what: ODD_PATHS,
    rows: /^paths\/(\/\/.*|\/.+(\/\/|\/\.\.?\/|bench\.dev%2F).*)$|^lifecycle reads\/.*: (empty cluster|no name)$/,
    answer: badRequest,
  },
  { what: ODD_PATHS, rows: /^paths\/.*\/wild%2Fclusters\/.* as (provider|nobody)$/, answer: forbidden },
  { what: ODD_PATHS, rows: /^paths\/.*\/wild%2Fclusters\/.* as masters$/, answer: notServed },
  {
    what: 'malformed percent escapes, control characters, semicolons in a query',
    rows: /%zz|a;limit=1|^paths\/.*%00/,
    answer: badRequest,
  },
  {
    what: '`/metrics`, `/`, `/apis`, `/version` at the root of the main port',
    rows: /^paths\/\/(metrics|apis|version)? as masters$/,
    answer: notFound,
  },
  {
    what: '`/metrics` and `/debug` below a view',
    rows: /^paths\/.*\/clusters\/\*\/(metrics(\/slis)?|debug\/pprof) as (provider|masters)$|^lifecycle reads\/.*: \/metrics at /,
    when: ({ status }) => status !== 404,
    answer: notFound,
  },
  {
    what: 'writes to all logical clusters, and patches of their objects',
    rows: /^refusals\/wildcard.*: patch$|^watches\/by POST$/,
    answer: notServed,
  },
  {
    what: 'paths and logical clusters that the shard does not serve',
    rows: new RegExp(
      [
        '^refusals/(unbound|unknown) cluster, masters: (?!create)',
        '^refusals/(create|deletecollection) across namespaces$',
        '^paths/.*/clusters/(root|system:admin|nosuchcluster)/apis/wild.bench.dev/v1/cowboys as masters$',
        '^paths/.*/apis/wild.bench.dev/v1/cowboys/alice as (provider|masters)$',
        '^identities/get in an unbound cluster as masters$',
      ].join('|'),
    ),
    answer: { status: 404, body: '404 page not found\n' },
  },
  {
    what: 'an export that does not exist, an export cluster that is a path',
    rows: /^paths\/.*(nosuchexport|\{homePath\})/,
    when: ({ status }) => status === 500,
    answer: forbidden,
  },
  {
    what: 'views of shards (`replication`, `migratingworkspaces`)',
    rows: /^paths\/\/services\/(replication\/|migratingworkspaces\/clusters\/\{c1\}).* as (provider|nobody)$/,
    answer: forbidden,
  },
  { what: '`/clusters/` without a name', rows: /^paths\/.*\/wild\/clusters\/ as /, answer: notServed },
  {
    what: BARE_CLUSTER,
    rows: /^paths\/.*\/wild\/clusters\/(\*|\{c1\}) as (provider|masters)$/,
    answer: { status: 200 },
  },
  {
    what: BARE_CLUSTER,
    rows: /^paths\/.*\/wild\/clusters\/(\*|\{c1\}) as nobody$/,
    without: withoutBodyField('message'),
  },
  {
    what: 'the list of paths at `/`',
    rows: new RegExp(
      [
        '^discovery// (at|of) ',
        '^schemas/discovery (/clusters/.*)?/$',
        '^lifecycle reads/.*: / at \\*$',
        '^paths/.*/wild/clusters/\\{c1\\}/ as (provider|masters)$',
      ].join('|'),
    ),
    without: withoutBodyField('paths'),
  },
  {
    what: 'namespaced paths of cluster-scoped resources',
    rows: /^paths\/.*\/v1alpha1\/namespaces\/default\/ranches(\/north)? as /,
    when: ({ status }) => status === 200,
    answer: notFound,
  },
  {
    what: 'a namespace of all logical clusters',
    rows: /^watches\/a namespace at the wildcard$|^paths\/.*\/\*\/api\/v1\/namespaces\/default\/configmaps as (provider|masters)$|^refusals\/wildcard with a namespace: (list|watch)$/,
    without: withoutBodyField('reason'),
  },
  { what: 'names of health checks', rows: /^paths\/\/readyz\?verbose as /, answer: { status: 200 } },
  {
    what: 'methods other than GET and HEAD on discovery and OpenAPI',
    rows: /^discovery\/(POST|PUT|DELETE|PATCH|OPTIONS) |^openapi\/POST$|^paths\/TRACE$/,
    answer: refused(405, 'MethodNotAllowed'),
  },
  { what: 'a body with GET, HEAD, CONNECT or TRACE', rows: /^content types\/a body with GET$/, answer: badRequest },
];

/** Where nothing more special is declared. In a workspace's content it is the shard that says it, to both. */
export const unknownPaths: readonly Expected[] = [
  {
    what: 'unknown groups, versions, resources and paths',
    rows: /^(?!lifecycle reads\/initializing: \/apis\/no\.such at a cluster$)/,
    when: saysNothing,
    answer: notServed,
  },
];
