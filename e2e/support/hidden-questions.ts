/** What may be asked of a workspace that one must not learn of. */
import type { RequestOptions } from './client.ts';

export interface Question {
  readonly what: string;
  readonly ask: (name: string) => { readonly method: string; readonly path: string } & RequestOptions;
  /** Both are answered so; absent: as the server likes. */
  readonly status?: number;
}

export const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
export const object = (name: string, metadata: object = {}): object => ({
  apiVersion: 'tenancy.kcp.io/v1alpha1',
  kind: 'Workspace',
  metadata: { name, ...metadata },
  spec: { type: { path: 'root', name: 'universal' } },
});
export const LABELS = { metadata: { labels: { changed: 'yes' } } };
const DELETE_OPTIONS = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'another' } });
/** Node does not say it of a DELETE. */
const LENGTH = { 'content-length': DELETE_OPTIONS.length };
export const MERGE = 'application/merge-patch+json';
const OPERATIONS = [{ op: 'add', path: '/metadata/labels', value: { changed: 'yes' } }];
export const APPLY = 'application/apply-patch+yaml';

export const QUESTIONS: readonly Question[] = [
  { what: 'GET', ask: name => ({ method: 'GET', path: `/${name}` }), status: 404 },
  { what: 'GET as a Table', ask: name => ({ method: 'GET', path: `/${name}`, headers: AS_TABLE }), status: 404 },
  { what: 'GET at a version', ask: name => ({ method: 'GET', path: `/${name}?resourceVersion=0` }), status: 404 },
  { what: 'PUT', ask: name => ({ method: 'PUT', path: `/${name}`, body: object(name) }), status: 404 },
  {
    what: 'PUT of a version',
    ask: name => ({ method: 'PUT', path: `/${name}`, body: object(name, { resourceVersion: '1' }) }),
    status: 404,
  },
  { what: 'PUT of something else', ask: name => ({ method: 'PUT', path: `/${name}`, body: { kind: 'Other' } }), status: 404 },
  { what: 'a merge patch', ask: name => ({ method: 'PATCH', path: `/${name}`, body: LABELS, contentType: MERGE }), status: 404 },
  {
    what: 'a JSON patch',
    ask: name => ({ method: 'PATCH', path: `/${name}`, body: OPERATIONS, contentType: 'application/json-patch+json' }),
    status: 404,
  },
  {
    what: 'a merge patch that is none',
    ask: name => ({ method: 'PATCH', path: `/${name}`, body: '{', contentType: MERGE }),
  },
  {
    what: 'a merge patch that is a list',
    ask: name => ({ method: 'PATCH', path: `/${name}`, body: [], contentType: MERGE }),
  },
  {
    what: 'a JSON patch that is none',
    ask: name => ({ method: 'PATCH', path: `/${name}`, body: '{', contentType: 'application/json-patch+json' }),
  },
  {
    what: 'a strategic merge patch',
    ask: name => ({ method: 'PATCH', path: `/${name}`, body: LABELS, contentType: 'application/strategic-merge-patch+json' }),
  },
  {
    what: 'a patch of no known kind',
    ask: name => ({ method: 'PATCH', path: `/${name}`, body: '{', contentType: 'text/plain' }),
    status: 415,
  },
  {
    what: 'an apply that is none',
    ask: name => ({ method: 'PATCH', path: `/${name}?fieldManager=e2e`, body: '{', contentType: APPLY }),
  },
  {
    what: 'an apply by nobody',
    ask: name => ({ method: 'PATCH', path: `/${name}`, body: object(name), contentType: APPLY }),
  },
  {
    what: 'an apply of another name',
    ask: name => ({ method: 'PATCH', path: `/${name}?fieldManager=e2e`, body: object('another'), contentType: APPLY }),
  },
  { what: 'a dry run that is none', ask: name => ({ method: 'DELETE', path: `/${name}?dryRun=Some` }) },
  {
    what: 'a dry run',
    ask: name => ({ method: 'PATCH', path: `/${name}?dryRun=All`, body: LABELS, contentType: MERGE }),
    status: 404,
  },
  { what: 'DELETE', ask: name => ({ method: 'DELETE', path: `/${name}` }), status: 404 },
  {
    what: 'DELETE on conditions',
    ask: name => ({ method: 'DELETE', path: `/${name}`, body: DELETE_OPTIONS, headers: LENGTH }),
    status: 404,
  },
  { what: 'GET of its status', ask: name => ({ method: 'GET', path: `/${name}/status` }), status: 404 },
  { what: 'PUT of its status', ask: name => ({ method: 'PUT', path: `/${name}/status`, body: object(name) }), status: 404 },
  {
    what: 'a patch of its status',
    ask: name => ({ method: 'PATCH', path: `/${name}/status`, body: LABELS, contentType: MERGE }),
    status: 404,
  },
  {
    what: 'an apply of its status',
    ask: name => ({ method: 'PATCH', path: `/${name}/status?fieldManager=e2e`, body: object(name), contentType: APPLY }),
    status: 404,
  },
  { what: 'GET of what it has not', ask: name => ({ method: 'GET', path: `/${name}/nosuch` }), status: 404 },
  { what: 'a list of its name', ask: name => ({ method: 'GET', path: `?fieldSelector=metadata.name%3D${name}` }), status: 200 },
  {
    what: 'a watch of its name',
    ask: name => ({ method: 'GET', path: `?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3D${name}` }),
    status: 200,
  },
  { what: 'a watch of its name, by the path', ask: name => ({ method: 'GET', path: `/${name}?watch=true` }), status: 404 },
];

/** Of whom may create nothing in the parent. Whoever may learns that a name is taken, as of every API. */
export const CREATIONS: readonly Question[] = [
  { what: 'POST', ask: name => ({ method: 'POST', path: '', body: object(name) }), status: 403 },
  {
    what: 'an apply',
    ask: name => ({ method: 'PATCH', path: `/${name}?fieldManager=e2e&force=true`, body: object(name), contentType: APPLY }),
    status: 403,
  },
  {
    what: 'a dry run of an apply',
    ask: name => ({ method: 'PATCH', path: `/${name}?fieldManager=e2e&dryRun=All`, body: object(name), contentType: APPLY }),
    status: 403,
  },
];
