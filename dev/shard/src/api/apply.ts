import { badRequest, notFound } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { parseYaml, typed } from './body.ts';
import type { ResourceCall } from './call.ts';
import { inVersion } from './collection.ts';
import { commitCreate, commitUpdate, meant } from './commit.ts';
import { untypable } from './field-sets.ts';
import { type Application, apply as applyTo } from './managed-fields.ts';
import { isObject } from './merge.ts';
import { mergeSchemaOf } from './merge-schema.ts';
import type { Representation } from './representation.ts';
import { sendObject } from './write.ts';

/** What of the metadata says which object is meant, and belongs to nobody. */
const IDENTITY = ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'selfLink', 'managedFields'];

/** Server-side apply: makes the object, or merges what is given into it, for the caller's field manager. */
export async function apply(
  call: ResourceCall,
  representation: Representation,
  text: string,
  stored: KubeObject | undefined,
  dryRun: boolean,
): Promise<void> {
  const { request, definition, rest, apiVersion, settings } = call;
  const { subresource } = request;
  const configuration = configurationIn(call, text);
  const application: Application = {
    ...{ schema: mergeSchemaOf(definition, apiVersion), apiVersion, subresource },
    manager: rest.query.get('fieldManager') ?? '',
    force: rest.query.get('force') === 'true',
  };
  const fields = fieldsMeant(call, configuration);
  if (stored === undefined) {
    if (subresource !== '') throw notFound(definition, request.name);
    settings.authorizeCreate?.();
    const { managedFields } = applyTo(application, {}, fields);
    const named = { ...configuration, metadata: { ...configuration.metadata, name: request.name } };
    return sendObject(call, representation, 201, commitCreate(call, named, dryRun, managedFields));
  }
  const present = inVersion(definition, stored, apiVersion);
  const { object, managedFields } = applyTo(application, present, fields);
  const { uid, resourceVersion } = { ...present.metadata, ...configuration.metadata };
  const whole = isObject(object) ? object : {};
  const next = typed(call, { ...whole, metadata: { ...(whole.metadata as object), uid, resourceVersion } }, text);
  await sendObject(call, representation, 200, commitUpdate(call, meant(call, next, stored), stored, dryRun, managedFields));
}

/** The part of a configuration that can have managers: of the status there, and of all else here, where that is a subresource. */
function fieldsMeant({ definition, request }: ResourceCall, configuration: KubeObject): KubeObject {
  const { apiVersion: _version, kind: _kind, metadata = {}, status, ...rest } = configuration;
  if (request.subresource === 'status') return { ...(status !== undefined && { status }) };
  const described = Object.entries(metadata).filter(([name]) => !IDENTITY.includes(name));
  return {
    ...rest,
    ...(described.length > 0 && { metadata: Object.fromEntries(described) }),
    ...(status !== undefined && !definition.statusSubresource && { status }),
  };
}

/** The body of an apply, which says what it is and nothing about who manages what. */
function configurationIn(call: ResourceCall, text: string): KubeObject {
  const parsed = parseYaml(text);
  if ('error' in parsed) throw badRequest(`error decoding YAML: ${parsed.error}`);
  if (!isObject(parsed.value)) throw badRequest('error decoding YAML: an apply patch is an object');
  const { apiVersion, kind } = parsed.value;
  if (!apiVersion || !kind) throw badRequest('invalid object type: apiVersion and kind must be set in an apply patch');
  const configuration = typed(call, parsed.value, text);
  if (configuration.metadata?.managedFields) throw badRequest('metadata.managedFields must be nil');
  const { name = call.request.name } = configuration.metadata ?? {};
  if (name !== call.request.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.request.name})`);
  }
  // Others are warned of fields that are not kept; what is applied has to be known, or nobody could own it.
  const [unknown] = call.definition.unknownFields?.(configuration) ?? [];
  if (unknown !== undefined) throw untypable(`.${unknown}: field not declared in schema`);
  return configuration;
}
