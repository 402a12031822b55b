import { withoutHeader, withoutOpenapiDetails, withoutScale, withoutSharedKinds, withoutUnservedStatus } from '../changes.ts';
import type { Answer } from '../normalise.ts';
import { notFound } from './answers.ts';
import type { Expected } from './expected.ts';

const isServed = ({ status }: Answer): boolean => status < 300;

/** Of resources: those of discovery itself are the same. */
const isDocument = ({ body }: Answer): boolean =>
  typeof body === 'object' && body !== null && 'openapi' in body && /"action":"(list|get)"/.test(JSON.stringify(body));

export const documents: readonly Expected[] = [
  {
    what: '`scale` of custom resources',
    rows: /^discovery\/\/apis\/wild\.bench\.dev\/v1 |^identities\/discovery of a cluster as /,
    when: isServed,
    without: withoutScale,
  },
  {
    what: '`scale` of custom resources',
    rows: /^paths\/.*\/cowboys\/alice\/scale as (provider|masters)$|^refusals\/status: scale$/,
    answer: { status: 200 },
  },
  {
    what: 'subresources that discovery lists twice',
    rows: /^discovery\/\/apis\/(wild\.bench\.dev\/v1alpha1 at |apis\.kcp\.io\/v1alpha[12] of tame)/,
    without: withoutScale,
  },
  {
    what: '`/status` of bindings that are not claimed',
    rows: /^discovery\/\/apis\/apis\.kcp\.io\/v1alpha[12] (at |of bare)/,
    without: withoutUnservedStatus,
  },
  {
    what: 'verbs of reviews',
    rows: /^discovery\/\/apis\/authorization\.k8s\.io\/v1 /,
    answer: { status: 200, body: { kind: 'APIResourceList' } },
  },
  {
    what: 'aggregated discovery',
    rows: /^accept\/discovery as .*as=APIGroupDiscoveryList/,
    answer: { status: 200, body: { kind: 'APIGroupDiscoveryList' } },
  },
  { what: 'gzip of discovery', rows: /^discovery\/\/apis packed$/, without: withoutHeader('content-encoding') },
  { what: 'OpenAPI: the index, with a slash at its end', rows: /^openapi\/\/openapi\/v3\/ at /, answer: { status: 200 } },
  { what: 'OpenAPI: a group version that is not there', rows: /^openapi\/\/openapi\/v3\/no\/such at /, answer: notFound },
  { what: 'OpenAPI: a hash that is not the document’s', rows: /^openapi\/.*\?hash=0 at /, answer: { status: 200 } },
  {
    what: 'OpenAPI in protobuf',
    rows: /^openapi\/a document as application\/com\.github\.proto-openapi\.spec\.v3@v1\.0\+protobuf$/,
    answer: { status: 406 },
  },
  {
    what: 'OpenAPI in protobuf',
    rows: /^openapi\/a document as application\/com\.github\.proto-openapi\.spec\.v3@v1\.0\+protobuf, application\/json$/,
    answer: { status: 200 },
  },
  {
    what: 'OpenAPI: kinds of what all groups share',
    rows: /^openapi\/(\/openapi\/v3\/apis\/(wild|law)\.bench\.dev\/v1(alpha1)? at |a document as \*\/\*$)/,
    without: withoutSharedKinds,
  },
  {
    what: 'OpenAPI: what is built in, and what is of kcp',
    rows: new RegExp(
      [
        '^openapi//openapi/v3/(api/v1|apis/(coordination|rbac\\.authorization|apiextensions|events)\\.k8s\\.io/v1) at ',
        '^openapi//openapi/v3/apis/apis\\.kcp\\.io/v1alpha[12] (at|of) ',
        '^schemas/discovery .*/openapi/v3/apis/apis\\.kcp\\.io/v1alpha1$',
        '^lifecycle reads/(initializing: .* at \\*|terminating: .*)$',
      ].join('|'),
    ),
    when: isDocument,
    without: withoutOpenapiDetails,
  },
  {
    what: 'verbs of reviews',
    rows: /^openapi\/\/openapi\/v3\/apis\/authorization\.k8s\.io\/v1 at /,
    answer: { status: 200, body: { openapi: '3.0.0' } },
  },
  {
    what: 'OpenAPI: media types that it is not in',
    rows: /^openapi\/a document as application\/(yaml|xml)$/,
    answer: { status: 406 },
  },
];
