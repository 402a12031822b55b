import { describe, expect, test } from '@jest/globals';
import { aggregatedForms, chooseForm, contentTypeOf, discoveryForms, jsonForm } from './document-forms.ts';
import { prepare } from './prepared.ts';

const JSON_TYPE = 'application/json';
const YAML = 'application/yaml';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const V2BETA1 = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';

const LEGACY = discoveryForms(prepare({ kind: 'APIGroupList', apiVersion: 'v1', groups: [] }));
const FORMS = [...LEGACY, ...aggregatedForms([], '/apis')];
const chosen = (accept: string | undefined, forms = FORMS) => contentTypeOf(chooseForm(accept, forms));

describe('a client is given', () => {
  test.each([
    [undefined, JSON_TYPE],
    ['', JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*;q=0.5', JSON_TYPE],
    [YAML, YAML],
    [PROTOBUF, PROTOBUF],
    [`${PROTOBUF},${JSON_TYPE}`, PROTOBUF],
    // client-go 0.36, and the releases before apidiscovery.k8s.io/v2.
    [`${V2},${V2BETA1},${JSON_TYPE}`, V2],
    [`${V2};profile=nopeer,${V2},${V2BETA1},${JSON_TYPE}`, V2],
    [`${V2BETA1},${JSON_TYPE}`, V2BETA1],
    [`${JSON_TYPE},${V2}`, JSON_TYPE],
    [`${JSON_TYPE};q=0.5,${V2}`, V2],
    // No aggregated discovery in protobuf here: the next one counts.
    ['application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json', JSON_TYPE],
    [`text/html,${YAML};as=Table;v=v1;g=meta.k8s.io,${JSON_TYPE}`, JSON_TYPE],
    [`${JSON_TYPE};v=v2,${YAML}`, YAML],
  ])('for %j: %s', (accept, contentType) => {
    expect(chosen(accept)).toBe(contentType);
  });
});

test.each(['text/plain', `${JSON_TYPE};as=Table;v=v1;g=meta.k8s.io`, V2, `${JSON_TYPE};q=0`])(
  'of legacy discovery nothing is acceptable for %j',
  accept => {
    expect(() => chosen(accept, [...LEGACY])).toThrow(
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  },
);

test('OpenAPI documents are JSON only', () => {
  const forms = [jsonForm(prepare({}))];
  expect(chosen('application/com.github.proto-openapi.spec.v3@v1.0+protobuf,application/json', forms)).toBe(JSON_TYPE);
  expect(() => chosen('application/com.github.proto-openapi.spec.v3@v1.0+protobuf', forms)).toThrow(
    'only the following media types are accepted: application/json',
  );
});

test('YAML is the document with its keys sorted', () => {
  expect(String(chooseForm(YAML, FORMS).make().body)).toBe('apiVersion: v1\ngroups: []\nkind: APIGroupList\n');
});
