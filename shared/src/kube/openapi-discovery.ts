import { JSON_MEDIA_TYPE, PROTOBUF_MEDIA_TYPE, YAML_MEDIA_TYPE } from './media-type.ts';
import { operationNames } from './openapi-paths.ts';
import { META, refTo, type Schema, TYPE_META } from './openapi-schemas.ts';

/** The operation of a document that is no resource: of discovery, or `/version`. */
export interface DocumentOperation {
  readonly path: string;
  readonly operation: object;
}

const DISCOVERY_TYPES = [JSON_MEDIA_TYPE, YAML_MEDIA_TYPE, PROTOBUF_MEDIA_TYPE];
const VERSION_INFO = 'io.k8s.apimachinery.pkg.version.Info';

const answering = (types: readonly string[], model: string): object => ({
  responses: {
    200: { description: 'OK', content: Object.fromEntries(types.map(type => [type, { schema: refTo(model) }])) },
  },
});

/** By what follows `/openapi/v3/` there. */
export const DOCUMENT_OPERATIONS: Readonly<Record<string, DocumentOperation>> = {
  api: {
    path: '/api/',
    operation: {
      ...{ tags: ['core'], description: 'get the versions of the legacy group', operationId: 'getCoreAPIVersions' },
      ...answering(DISCOVERY_TYPES, `${META}.APIVersions`),
    },
  },
  apis: {
    path: '/apis/',
    operation: {
      ...{ tags: ['apis'], description: 'get the groups', operationId: 'getAPIVersions' },
      ...answering(DISCOVERY_TYPES, `${META}.APIGroupList`),
    },
  },
  version: {
    path: '/version/',
    operation: {
      ...{ tags: ['version'], description: 'get the version of the server', operationId: 'getCodeVersion' },
      ...answering([JSON_MEDIA_TYPE], VERSION_INFO),
    },
  },
};

export function groupOperation(group: string): DocumentOperation {
  const { title, tag } = operationNames({ group });
  const names = { tags: [tag], description: 'get the versions of a group', operationId: `get${title}APIGroup` };
  return { path: `/apis/${group}/`, operation: { ...names, ...answering(DISCOVERY_TYPES, `${META}.APIGroup`) } };
}

const text = (description: string): Schema => ({ description, type: 'string' });
const listOf = (description: string, items: Schema): Schema => ({
  ...{ description, type: 'array', items, 'x-kubernetes-list-type': 'atomic' },
});
const object = (description: string, required: readonly string[], properties: Readonly<Record<string, Schema>>): Schema => ({
  ...{ description, type: 'object', required, properties },
});
const kindExtension = (kind: string): Schema => ({ 'x-kubernetes-group-version-kind': [{ group: '', kind, version: 'v1' }] });

const GROUP_VERSION = `${META}.GroupVersionForDiscovery`;
const ADDRESSES = listOf('Where clients of an address range reach the server.', refTo(`${META}.ServerAddressByClientCIDR`));

/** What discovery and `/version` answer. */
export const DISCOVERY_SCHEMAS: Readonly<Record<string, Schema>> = {
  [`${META}.APIVersions`]: {
    ...object('APIVersions are the versions of the legacy group.', ['versions', 'serverAddressByClientCIDRs'], {
      ...TYPE_META,
      versions: listOf('The versions.', { type: 'string' }),
      serverAddressByClientCIDRs: ADDRESSES,
    }),
    ...kindExtension('APIVersions'),
  },
  [`${META}.APIGroupList`]: {
    ...object('APIGroupList is all groups.', ['groups'], {
      ...TYPE_META,
      groups: listOf('The groups.', refTo(`${META}.APIGroup`)),
    }),
    ...kindExtension('APIGroupList'),
  },
  [`${META}.APIGroup`]: {
    ...object('APIGroup is a group with its versions.', ['name', 'versions'], {
      ...TYPE_META,
      name: text('The name of the group.'),
      versions: listOf('The versions, the preferred first.', refTo(GROUP_VERSION)),
      preferredVersion: { description: 'The version to use when there is no reason for another.', allOf: [refTo(GROUP_VERSION)] },
      serverAddressByClientCIDRs: ADDRESSES,
    }),
    ...kindExtension('APIGroup'),
  },
  [GROUP_VERSION]: object('GroupVersionForDiscovery is one version of a group.', ['groupVersion', 'version'], {
    groupVersion: text('group/version'),
    version: text('The version alone.'),
  }),
  [`${META}.ServerAddressByClientCIDR`]: object(
    'ServerAddressByClientCIDR is the address of the server for some clients.',
    ['clientCIDR', 'serverAddress'],
    { clientCIDR: text('The address range of the clients.'), serverAddress: text('host:port') },
  ),
  [VERSION_INFO]: object(
    'Info says which version a server is of.',
    ['major', 'minor', 'gitVersion', 'gitCommit', 'gitTreeState', 'buildDate', 'goVersion', 'compiler', 'platform'],
    Object.fromEntries(
      [
        ...['buildDate', 'compiler', 'emulationMajor', 'emulationMinor', 'gitCommit', 'gitTreeState', 'gitVersion', 'goVersion'],
        ...['major', 'minCompatibilityMajor', 'minCompatibilityMinor', 'minor', 'platform'],
      ].map(name => [name, { type: 'string' }]),
    ),
  ),
};
