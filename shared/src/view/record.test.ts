import { expect, test } from '@jest/globals';
import { RECORD_HEADER, readRecordHeader, recordHeader } from './record.ts';

test('a record arrives as it was sent, whatever letters it has', () => {
  const record = { view: 'apiexport', cluster: 'c', verb: 'get', resource: 'g/r', because: 'erlaubt für Jörg' };
  expect(readRecordHeader(recordHeader(record))).toEqual(record);
  expect(readRecordHeader(['content-type', 'x'])).toBeUndefined();
});

// A service may be a team's own, and compromised: what it says of a request must not keep the request out of the audit log.
test.each(['{"because":{"length":9999}}', '{"because":7,"code":200}', 'no JSON', '[]', 'null', '"text"'])(
  'what is none is left out: %s',
  value => {
    expect(readRecordHeader([RECORD_HEADER, value])).toEqual({});
  },
);

test('texts of it have an end', () => {
  expect(readRecordHeader([RECORD_HEADER, JSON.stringify({ because: 'x'.repeat(9_999) })])?.because).toHaveLength(2_048);
});
