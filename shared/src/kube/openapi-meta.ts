import { describedRef, gvkExtension, META, refTo, type Schema, TYPE_META } from './openapi-schemas.ts';

const AUTOSCALING = 'io.k8s.api.autoscaling.v1';

const text = (description: string, more: Schema = {}): Schema => ({ description, type: 'string', ...more });
const int64 = (description: string): Schema => ({ description, type: 'integer', format: 'int64' });
const flag = (description: string): Schema => ({ description, type: 'boolean' });
const time = (description: string): Schema => describedRef(`${META}.Time`, description);
const textMap = (description: string): Schema => ({ description, type: 'object', additionalProperties: { type: 'string' } });
const list = (description: string, items: Schema, more: Schema = {}): Schema => ({ description, type: 'array', items, ...more });

const object = (description: string, properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema => ({
  ...{ description, type: 'object', properties },
  ...more,
});

const OBJECT_META = object('ObjectMeta is the metadata that every object of the API has.', {
  annotations: textMap('Values that tools and people attach to the object. They cannot be selected by.'),
  creationTimestamp: time('When the object was created. Set by the system.'),
  deletionGracePeriodSeconds: int64('How long the object may take to end after its deletion. Set by the system.'),
  deletionTimestamp: time('When the object is due to be deleted: its deletion was asked for. Set by the system.'),
  finalizers: list(
    'Who still has work to do before the object is deleted; each removes its own entry.',
    { type: 'string' },
    { 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' },
  ),
  generateName: text('A prefix that the server completes to a unique name when no name is given.'),
  generation: int64('Counts the changes of the desired state. Set by the system.'),
  labels: textMap('Values by which objects are organised and selected.'),
  managedFields: list(
    'Which manager set which fields, kept by the server for server-side apply.',
    refTo(`${META}.ManagedFieldsEntry`),
    { 'x-kubernetes-list-type': 'atomic' },
  ),
  name: text('The name, unique for the resource in its namespace. It cannot be changed.'),
  namespace: text('The namespace that the object is in; empty for resources that are in none. It cannot be changed.'),
  ownerReferences: list(
    'The objects that this one depends on: when all are deleted, it is, too.',
    refTo(`${META}.OwnerReference`),
    {
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-patch-merge-key': 'uid',
      'x-kubernetes-patch-strategy': 'merge',
    },
  ),
  resourceVersion: text('The version that is stored, to be compared for equality only. Set by the system.'),
  selfLink: text('No longer set.'),
  uid: text('Tells this object from others that had or will have its name. Set by the system.'),
});

const LIST_META = object('ListMeta is the metadata of a list.', {
  continue: text('Given when the list goes on: the token to ask for what follows.'),
  remainingItemCount: int64('About how many items follow, where that is known.'),
  resourceVersion: text('The version that the list was read at, to be compared for equality only.'),
  selfLink: text('No longer set.'),
  shardInfo: describedRef(`${META}.ShardInfo`, 'Set when a selector of the request made this a part of the list.'),
});

const SHARD_INFO = object(
  'ShardInfo says which part of a list this is.',
  { selector: text('The selector of the request.') },
  { required: ['selector'] },
);

const OWNER_REFERENCE = object(
  'OwnerReference names an object in the same namespace, or in none, that owns this one.',
  {
    apiVersion: text('The API version of the owner.'),
    blockOwnerDeletion: flag('Whether the owner is kept, when it is deleted in the foreground, until this reference is gone.'),
    controller: flag('Whether the owner manages this object.'),
    kind: text('The kind of the owner.'),
    name: text('The name of the owner.'),
    uid: text('The uid of the owner.'),
  },
  { required: ['apiVersion', 'kind', 'name', 'uid'], 'x-kubernetes-map-type': 'atomic' },
);

const MANAGED_FIELDS_ENTRY = object('ManagedFieldsEntry is the set of fields that one manager has set in one way.', {
  apiVersion: text('The version that the fields are named in.'),
  fieldsType: text('How the fields are written: FieldsV1.'),
  fieldsV1: describedRef(`${META}.FieldsV1`, 'The fields.'),
  manager: text('Who set the fields.'),
  operation: text('Apply or Update.'),
  subresource: text('The subresource that the fields were set through, if any.'),
  time: time('When the fields were last changed.'),
});

const DELETE_OPTIONS = object(
  'DeleteOptions say how an object is deleted.',
  {
    ...TYPE_META,
    dryRun: list('With All the deletion is checked and not made.', { type: 'string' }, { 'x-kubernetes-list-type': 'atomic' }),
    gracePeriodSeconds: int64('How long the object may take to end; 0 deletes at once.'),
    ignoreStoreReadErrorWithClusterBreakingPotential: flag('Deletes an object that cannot be read from storage any more.'),
    orphanDependents: flag('Deprecated: use propagationPolicy.'),
    preconditions: describedRef(`${META}.Preconditions`, 'What must hold of the object, else it is not deleted (409).'),
    propagationPolicy: text('What becomes of the objects that depend on it: Orphan, Background or Foreground.'),
  },
  gvkExtension({ group: '', version: 'v1', kind: 'DeleteOptions' }),
);

const PRECONDITIONS = object('Preconditions must hold before something is done.', {
  resourceVersion: text('The version that must be stored.'),
  uid: text('The uid that the stored object must have.'),
});

const STATUS = object(
  'Status is the answer to a request that does not return other objects.',
  {
    ...TYPE_META,
    code: { description: 'The HTTP status.', type: 'integer', format: 'int32' },
    details: describedRef(`${META}.StatusDetails`, 'More about the reason.'),
    message: text('What happened, for people.'),
    metadata: describedRef(`${META}.ListMeta`, 'Metadata of a list, empty.'),
    reason: text('Why, in one word for machines.'),
    status: text('Success or Failure.'),
  },
  gvkExtension({ group: '', version: 'v1', kind: 'Status' }),
);

const STATUS_DETAILS = object('StatusDetails are what a server says of a failure beside the reason.', {
  causes: list('The single failures.', refTo(`${META}.StatusCause`), { 'x-kubernetes-list-type': 'atomic' }),
  group: text('The API group of what the failure is about.'),
  kind: text('The resource that the failure is about.'),
  name: text('The name of the object.'),
  retryAfterSeconds: { description: 'How long to wait before trying again.', type: 'integer', format: 'int32' },
  uid: text('The uid of the object.'),
});

const STATUS_CAUSE = object('StatusCause is one of several failures.', {
  field: text('The field at fault: spec.items[0].name'),
  message: text('What is wrong, for people.'),
  reason: text('Why, in one word for machines.'),
});

const SCALE = object(
  'Scale is the number of replicas of an object.',
  {
    ...TYPE_META,
    metadata: describedRef(`${META}.ObjectMeta`, 'The metadata that every object has.'),
    spec: describedRef(`${AUTOSCALING}.ScaleSpec`, 'What is wanted.'),
    status: describedRef(`${AUTOSCALING}.ScaleStatus`, 'What is there.'),
  },
  gvkExtension({ group: 'autoscaling', version: 'v1', kind: 'Scale' }),
);

const SCALE_SPEC = object('ScaleSpec is the number of replicas that is wanted.', {
  replicas: { description: 'How many replicas are wanted.', type: 'integer', format: 'int32' },
});

const SCALE_STATUS = object(
  'ScaleStatus is the number of replicas that is there.',
  {
    replicas: { description: 'How many replicas there are.', type: 'integer', format: 'int32' },
    selector: text('The labels that the replicas have, as a selector.'),
  },
  { required: ['replicas'] },
);

/** Components of `meta/v1` and of what custom resources share, by name, for documents that have none made by another server. */
export const SHARED_SCHEMAS: Readonly<Record<string, Schema>> = {
  [`${META}.ObjectMeta`]: OBJECT_META,
  [`${META}.ListMeta`]: LIST_META,
  [`${META}.ShardInfo`]: SHARD_INFO,
  [`${META}.OwnerReference`]: OWNER_REFERENCE,
  [`${META}.ManagedFieldsEntry`]: MANAGED_FIELDS_ENTRY,
  [`${META}.FieldsV1`]: { description: 'FieldsV1 is a set of fields, as a trie in JSON.', type: 'object' },
  [`${META}.Time`]: { description: 'A time as RFC 3339 writes it.', type: 'string', format: 'date-time' },
  [`${META}.DeleteOptions`]: DELETE_OPTIONS,
  [`${META}.Preconditions`]: PRECONDITIONS,
  [`${META}.Patch`]: { description: 'Patch is a change of an object in one of several notations.', type: 'object' },
  [`${META}.Status`]: STATUS,
  [`${META}.StatusDetails`]: STATUS_DETAILS,
  [`${META}.StatusCause`]: STATUS_CAUSE,
  [`${AUTOSCALING}.Scale`]: SCALE,
  [`${AUTOSCALING}.ScaleSpec`]: SCALE_SPEC,
  [`${AUTOSCALING}.ScaleStatus`]: SCALE_STATUS,
};
