import { PROTOBUF_MAGIC } from './protobuf.ts';
import { fieldBytes, fieldText, fieldVarint } from './protobuf-write.ts';

/** How a field is written: as a text, a flag, or a message. */
type FieldType = 'text' | 'flag' | Message;
/** The fields of a message by their JSON names. An array in JSON is a field that comes again and again. */
interface Message {
  readonly [name: string]: readonly [number: number, type: FieldType];
}

/** From k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto. */
const VERBS: Message = { items: [1, 'text'] };
const GROUP_VERSION: Message = { groupVersion: [1, 'text'], version: [2, 'text'] };
const SERVER_ADDRESS: Message = { clientCIDR: [1, 'text'], serverAddress: [2, 'text'] };
const API_GROUP: Message = { name: [1, 'text'], versions: [2, GROUP_VERSION], preferredVersion: [3, GROUP_VERSION] };
const API_RESOURCE: Message = {
  ...{ name: [1, 'text'], namespaced: [2, 'flag'], kind: [3, 'text'], verbs: [4, VERBS], shortNames: [5, 'text'] },
  ...{ singularName: [6, 'text'], categories: [7, 'text'], group: [8, 'text'], version: [9, 'text'] },
  ...{ storageVersionHash: [10, 'text'] },
};
const KINDS: Readonly<Record<string, Message>> = {
  APIVersions: { versions: [1, 'text'], serverAddressByClientCIDRs: [2, SERVER_ADDRESS] },
  APIGroupList: { groups: [1, API_GROUP] },
  APIGroup: API_GROUP,
  APIResourceList: { groupVersion: [1, 'text'], resources: [2, API_RESOURCE] },
};

/** A legacy discovery document, given as its JSON, as a Kubernetes protobuf body: the magic bytes and a `runtime.Unknown`. */
export function discoveryProtobuf(json: Readonly<Record<string, unknown>>): Buffer {
  const kind = String(json.kind);
  const message = KINDS[kind];
  if (message === undefined) throw new Error(`${kind} is no document of legacy discovery`);
  // kcp names the version here even where the JSON leaves it out, but for the resources of the groups without one.
  const apiVersion = kind === 'APIResourceList' ? String(json.apiVersion ?? '') : 'v1';
  const typeMeta = Buffer.concat([fieldText(1, apiVersion), fieldText(2, kind)]);
  return Buffer.concat([
    PROTOBUF_MAGIC,
    fieldBytes(1, typeMeta),
    fieldBytes(2, encode(json, message)),
    fieldText(3, ''),
    fieldText(4, ''),
  ]);
}

function encode(json: object, message: Message): Buffer {
  const values = new Map<string, unknown>(Object.entries(json));
  return Buffer.concat(
    Object.entries(message).flatMap(([name, [number, type]]) => {
      const value = values.get(name) ?? [];
      // `Verbs` is a message of its own: an array there is its one field.
      if (type === VERBS) return values.get(name) === null ? [] : [fieldBytes(number, encode({ items: value }, VERBS))];
      return (Array.isArray(value) ? value : [value]).map(one => field(number, type, one));
    }),
  );
}

function field(number: number, type: FieldType, value: unknown): Buffer {
  if (type === 'text') return fieldText(number, String(value));
  if (type === 'flag') return fieldVarint(number, value === true ? 1 : 0);
  if (typeof value !== 'object' || value === null) throw new Error(`field ${number} is a message, not ${typeof value}`);
  return fieldBytes(number, encode(value, type));
}
