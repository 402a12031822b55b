/** A field of a protobuf message: text, bytes, a number, another message. Repeated fields are written one after the other. */
export type Field = readonly [number: number, value: string | number | readonly Field[]];

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

function encodeField([number, value]: Field): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
  const content = typeof value === 'string' ? Buffer.from(value) : encodeMessage(value);
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(content.length), content]);
}

const encodeMessage = (fields: readonly Field[]): Buffer => Buffer.concat(fields.map(encodeField));

/** A body as client-go sends it: the magic bytes and an envelope (`runtime.Unknown`) around the object's message. */
export class Protobuf {
  readonly apiVersion: string;
  readonly kind: string;
  readonly fields: readonly Field[];

  constructor(apiVersion: string, kind: string, fields: readonly Field[]) {
    this.apiVersion = apiVersion;
    this.kind = kind;
    this.fields = fields;
  }

  /** The bytes, with every text passed through `fill`. */
  encode(fill: (text: string) => string): Buffer {
    const filled = (fields: readonly Field[]): Field[] =>
      fields.map(([number, value]) => {
        if (typeof value === 'number') return [number, value];
        return [number, typeof value === 'string' ? fill(value) : filled(value)];
      });
    const typeMeta: Field = [
      1,
      [
        [1, this.apiVersion],
        [2, this.kind],
      ],
    ];
    const message = encodeMessage([typeMeta, [2, filled(this.fields)], [3, ''], [4, '']]);
    return Buffer.concat([Buffer.from('k8s\0'), message]);
  }
}

/** `meta/v1 ObjectMeta` with the fields that requests need, as field 1 of an object. */
export const objectMeta = (name: string, namespace: string, labels: Readonly<Record<string, string>> = {}): Field => [
  1,
  [[1, name], [3, namespace], ...entries(11, labels)],
];

/** A map of texts: a repeated message of key (1) and value (2). */
export const entries = (number: number, map: Readonly<Record<string, string>>): Field[] =>
  Object.entries(map).map(([key, value]) => [
    number,
    [
      [1, key],
      [2, value],
    ],
  ]);
