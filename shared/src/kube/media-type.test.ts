import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from './errors.ts';
import {
  JSON_OFFERS,
  jsonOnlyAccept,
  negotiate,
  OBJECT_OFFERS,
  type Offer,
  PROTOBUF_MEDIA_TYPE,
  parseAccept,
  parsedForm,
  wantedTransform,
} from './media-type.ts';

const KUBECTL = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
const CLIENT_GO = 'application/vnd.kubernetes.protobuf,application/json';
const METADATA =
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

describe('an Accept header', () => {
  test('is sorted by q, then the specific before wildcards, then as sent', () => {
    const sorted = parseAccept('*/*, text/html;q=0.9, application/*, a/b ,a/c;q=1.0, */*;q=0.1').map(one => one.text);
    expect(sorted).toEqual(['a/b', 'a/c;q=1.0', 'application/*', '*/*', 'text/html;q=0.9', '*/*;q=0.1']);
  });

  test('loses what is excluded by q=0 and what is no media type', () => {
    expect(parseAccept('a/b;q=0,c,a/b/c,/,,;, x/y;q=z,*').map(one => one.text)).toEqual(['*']);
  });
});

describe('the answer', () => {
  test.each<[string | undefined, readonly Offer[], object]>([
    [undefined, OBJECT_OFFERS, { mediaType: 'application/json' }],
    ['', OBJECT_OFFERS, { mediaType: 'application/json' }],
    ['*/*', OBJECT_OFFERS, { mediaType: 'application/json' }],
    ['application/*', OBJECT_OFFERS, { mediaType: 'application/json' }],
    ['application/yaml', OBJECT_OFFERS, { mediaType: 'application/yaml' }],
    ['application/json;q=0.5,application/yaml', OBJECT_OFFERS, { mediaType: 'application/yaml' }],
    ['application/json;stream=watch', OBJECT_OFFERS, { mediaType: 'application/json' }],
    ['application/json;pretty=1', OBJECT_OFFERS, { mediaType: 'application/json', pretty: true }],
    [CLIENT_GO, OBJECT_OFFERS, { mediaType: 'application/json' }],
    [CLIENT_GO, [{ mediaType: 'application/json' }, { mediaType: PROTOBUF_MEDIA_TYPE }], { mediaType: PROTOBUF_MEDIA_TYPE }],
    [KUBECTL, OBJECT_OFFERS, { mediaType: 'application/json', as: { kind: 'Table', version: 'v1' } }],
    [KUBECTL, [{ mediaType: 'application/json' }], { mediaType: 'application/json' }],
    [METADATA, JSON_OFFERS, { mediaType: 'application/json', as: { kind: 'PartialObjectMetadataList', version: 'v1' } }],
    [
      'application/json;as=Table;g=meta.k8s.io;v=v1beta1',
      JSON_OFFERS,
      { mediaType: 'application/json', as: { kind: 'Table', version: 'v1beta1' } },
    ],
  ])('to %j is chosen from the offers', (accept, offers, expected) => {
    expect(negotiate(accept, offers)).toEqual({ pretty: false, ...expected });
  });

  test.each([
    'text/html',
    PROTOBUF_MEDIA_TYPE,
    'application/cbor',
    'application/json;stream=other',
    'application/json;sv=v1',
    'application/json;as=Table;v=v2;g=meta.k8s.io',
    'application/json;as=Table;v=v1',
    'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io',
    'application/json;q=0',
    'nonsense',
  ])('to %j is 406', accept => {
    const message = 'only the following media types are accepted: application/json, application/yaml';
    expect(() => negotiate(accept, OBJECT_OFFERS)).toThrow(new StatusError('NotAcceptable', message));
  });

  test('may be offered only when transformed', () => {
    const offers: readonly Offer[] = [
      { mediaType: 'application/json' },
      { mediaType: PROTOBUF_MEDIA_TYPE, plain: false, as: ['PartialObjectMetadataList'] },
    ];
    expect(negotiate(METADATA, offers).mediaType).toBe(PROTOBUF_MEDIA_TYPE);
    expect(negotiate(CLIENT_GO, offers).mediaType).toBe('application/json');
  });
});

describe('the wanted transformation', () => {
  test.each([
    [undefined, undefined],
    ['application/json', undefined],
    [CLIENT_GO, undefined],
    [KUBECTL, { kind: 'Table', version: 'v1' }],
    [METADATA, { kind: 'PartialObjectMetadataList', version: 'v1' }],
    ['application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json', undefined],
    ['application/json;q=0.1;as=Table;g=meta.k8s.io;v=v1,application/json', undefined],
  ])('of %j is %j', (accept, expected) => {
    expect(wantedTransform(accept)).toEqual(expected);
  });
});

describe('what is parsed on its way', () => {
  test.each([
    [undefined, 'application/json', 'application/json'],
    ['application/yaml', 'application/json', 'application/yaml'],
    ['application/yaml;q=0.1, application/json', 'application/json', 'application/json'],
    ['application/yaml;as=Table;g=meta.k8s.io;v=v1', 'application/json;as=Table;g=meta.k8s.io;v=v1', 'application/yaml'],
    [KUBECTL, KUBECTL, 'application/json'],
  ])('for %j is asked for as %s and shown as %s', (accept, asked, mediaType) => {
    expect(parsedForm(accept)).toEqual({ accept: asked, mediaType });
  });

  test('is neither protobuf nor CBOR', () => {
    const message = 'only the following media types are accepted: application/json, application/yaml';
    expect(() => parsedForm(`${PROTOBUF_MEDIA_TYPE},application/cbor`)).toThrow(message);
  });
});

describe('an Accept header for JSON only', () => {
  test.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*;q=0.5', 'application/json;q=0.5'],
    [CLIENT_GO, 'application/json'],
    [KUBECTL, KUBECTL],
    [METADATA, 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'],
    ['application/cbor, application/yaml;q=0.9, application/json;q=0.1', 'application/json;q=0.1'],
  ])('of %j is %s', (accept, expected) => {
    expect(jsonOnlyAccept(accept)).toBe(expected);
  });

  test.each([PROTOBUF_MEDIA_TYPE, 'application/cbor,application/yaml', 'text/*', 'application/json;q=0'])(
    'of %s is 406',
    accept => {
      expect(() => jsonOnlyAccept(accept)).toThrow(StatusError);
    },
  );

  test('never lets another media type through', () => {
    const part = fc.constantFrom(
      'application/json',
      '*/*',
      'application/*',
      PROTOBUF_MEDIA_TYPE,
      'application/cbor',
      ';',
      ',',
      'q=0',
      'as=Table',
      ';q=0.3',
      '/',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(part), parts => {
        try {
          const types = parseAccept(jsonOnlyAccept(parts.join(''))).map(({ type, subtype }) => `${type}/${subtype}`);
          expect(new Set(types)).toEqual(new Set(['application/json']));
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          expect(error.code).toBe(406);
        }
      }),
    );
  });
});
