/** The schemas of what is in the status of a VirtualWorkspace. */

/** A name for objects in Kubernetes, as that of the process's lease is. */
const OBJECT_NAME = { type: 'string', minLength: 1, maxLength: 253, pattern: '^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$' };

export const ENDPOINT_SCHEMA = {
  description: 'One server of the view.',
  type: 'object',
  required: ['instance', 'url', 'ready'],
  properties: {
    instance: {
      ...OBJECT_NAME,
      // It is the field manager of its entry, too, and those have no longer names.
      maxLength: 128,
      description: "Name of the server's process, and of its lease in the namespace of the view.",
    },
    url: {
      description: 'Where front proxies reach it: https://host:port and nothing behind it.',
      type: 'string',
      maxLength: 300,
      // The same as `isOrigin` asks for: what follows host and port would be dropped on the way, and somebody relies on it.
      pattern: '^https://[^/?#@\\s\\\\]+/?$',
    },
    shard: { ...OBJECT_NAME, description: 'Name of the shard that it serves. Absent: whichever is asked for.' },
    ready: { description: 'False while it starts, and once it drains.', type: 'boolean' },
    ca: {
      description:
        "The authorities, in PEM, of this process's certificate. They count only where spec.caBundle, or the front proxy's flags, have " +
        'them as well.',
      type: 'string',
      maxLength: 65_536,
      pattern: '-----BEGIN CERTIFICATE-----',
    },
  },
};

/** `metav1.Condition`, with the limits that Kubernetes' own types have. */
export const CONDITION_SCHEMA = {
  type: 'object',
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  properties: {
    type: {
      description: 'Name of the condition.',
      type: 'string',
      maxLength: 316,
      pattern: '^[A-Za-z0-9]([-._/A-Za-z0-9]*[A-Za-z0-9])?$',
    },
    status: { description: 'Whether it holds.', type: 'string', enum: ['True', 'False', 'Unknown'] },
    reason: {
      description: 'Why, in one word for programs.',
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    },
    message: { description: 'Why, in a sentence for people.', type: 'string', maxLength: 32_768 },
    lastTransitionTime: { description: 'When the status last changed.', type: 'string', format: 'date-time' },
    observedGeneration: {
      description: 'The generation of the object that this is about.',
      type: 'integer',
      format: 'int64',
      minimum: 0,
    },
  },
};
