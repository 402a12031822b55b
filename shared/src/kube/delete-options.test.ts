import { describe, expect, test } from '@jest/globals';
import { decodeDeleteOptions, unmetPrecondition } from './delete-options.ts';
import { PROTOBUF_MAGIC } from './protobuf.ts';
import { fieldBytes, fieldText } from './protobuf-write.ts';

const decode = (type: string | undefined, body: string | Uint8Array, query = '') =>
  decodeDeleteOptions(type, Buffer.from(body), new URLSearchParams(query));
const HEAD = { kind: 'DeleteOptions', apiVersion: 'v1' };

describe('the options of a DELETE', () => {
  test('in JSON or YAML keep all that they say beside the preconditions', () => {
    const json = decode('application/json', '{"gracePeriodSeconds":0,"preconditions":{"uid":"a","resourceVersion":"1"}}');
    expect(json.preconditions).toEqual({ uid: 'a', resourceVersion: '1' });
    expect(JSON.parse(String(json.withPreconditions({ uid: 'b' })))).toEqual({
      ...HEAD,
      gracePeriodSeconds: 0,
      preconditions: { uid: 'b', resourceVersion: '1' },
    });
    const yaml = decode('application/yaml', 'propagationPolicy: Orphan\ndryRun: [All]');
    expect(yaml.contentType).toBe('application/json');
    expect(JSON.parse(String(yaml.withPreconditions({ uid: 'b' })))).toMatchObject({
      propagationPolicy: 'Orphan',
      dryRun: ['All'],
      preconditions: { uid: 'b' },
    });
  });

  test('in protobuf stay protobuf', () => {
    const raw = fieldBytes(2, fieldText(1, 'theirs'));
    const head = fieldBytes(1, Buffer.concat([fieldText(1, 'v1'), fieldText(2, 'DeleteOptions')]));
    const type = 'application/vnd.kubernetes.protobuf';
    const options = decode(type, Buffer.concat([PROTOBUF_MAGIC, head, fieldBytes(2, raw)]));
    expect(options.preconditions).toEqual({ uid: 'theirs' });
    expect(options.contentType).toBe(type);
    expect(decode(type, options.withPreconditions({ uid: 'u', resourceVersion: '2' })).preconditions).toEqual({
      uid: 'u',
      resourceVersion: '2',
    });
  });

  // Recorded: with a body the shard does not look at the query, so that a dry run would delete.
  test('of the query come into the body that is made for them', () => {
    const query = 'gracePeriodSeconds=5&propagationPolicy=Foreground&dryRun=All&orphanDependents=0&uid=q&pretty=true';
    const options = decode(undefined, '', query);
    expect(options.preconditions).toEqual({ uid: 'q' });
    expect(JSON.parse(String(options.withPreconditions({ resourceVersion: '3' })))).toEqual({
      ...HEAD,
      gracePeriodSeconds: 5,
      propagationPolicy: 'Foreground',
      dryRun: ['All'],
      orphanDependents: false,
      preconditions: { uid: 'q', resourceVersion: '3' },
    });
  });

  test('of the query do not count beside a body', () => {
    const options = decode('application/json', '{}', 'dryRun=All');
    expect(JSON.parse(String(options.withPreconditions({ uid: 'u' })))).toEqual({ ...HEAD, preconditions: { uid: 'u' } });
  });

  test.each([
    [
      'text/plain',
      'x',
      '',
      'accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ],
    ['application/json', 'nope', '', "couldn't get version/kind; json parse error: "],
    [
      'application/json',
      '{"preconditions":5}',
      '',
      'json: cannot unmarshal number into Go struct field DeleteOptions.preconditions of type v1.Preconditions',
    ],
    [undefined, '', 'gracePeriodSeconds=abc', 'strconv.ParseInt: parsing "abc": invalid syntax'],
  ])('are refused as %j %j %j', (type, body, query, message) => {
    expect(() => decode(type, body, query)).toThrow(message);
  });
});

test('a stored object does not meet the preconditions of another', () => {
  const stored = { uid: 'u', resourceVersion: '5' };
  expect(unmetPrecondition({}, stored)).toBeUndefined();
  expect(unmetPrecondition({ uid: 'u', resourceVersion: '5' }, stored)).toBeUndefined();
  expect(unmetPrecondition({ uid: 'v' }, stored)).toBe(
    'the UID in the precondition (v) does not match the UID in record (u). The object might have been deleted and then recreated',
  );
  expect(unmetPrecondition({ resourceVersion: '4' }, stored)).toBe(
    'the ResourceVersion in the precondition (4) does not match the ResourceVersion in record (5). The object might have been modified',
  );
});
