import { expect, test } from '@jest/globals';
import { wantsPretty } from './pretty.ts';

test.each([
  ['curl/8.0', '', true],
  ['Wget/1.2', '', true],
  ['Mozilla/5.0 (X11)', '', true],
  ['kubectl/v1.33', '', false],
  [undefined, '', false],
  ['curl/8.0', 'pretty=0', false],
  ['kubectl/v1.33', 'pretty=1', true],
  ['kubectl/v1.33', 'pretty=true', true],
  ['curl/8.0', 'pretty=', true],
])('for the client %j with ?%s JSON is indented: %j', (userAgent, query, expected) => {
  expect(wantsPretty(userAgent, new URLSearchParams(query))).toBe(expected);
});
