import { withoutBodyField } from '../changes.ts';
import { forbidden, refused } from './answers.ts';
import type { Expected } from './expected.ts';

export const identities: readonly Expected[] = [
  {
    what: '`Impersonate-*` from non-masters',
    rows: /^identities\/.* by impersonation(, with a group)? as (provider|nobody|anonymous|proxy)$/,
    answer: forbidden,
  },
  {
    what: 'impersonation without a user name',
    rows: /^identities\/.* without a user by impersonation as masters$/,
    without: withoutBodyField('message'),
  },
  {
    what: 'two `X-Remote-User` headers',
    rows: /^identities\/two user headers by proxy$/,
    answer: refused(401, 'Unauthorized'),
  },
  {
    what: 'a review that the reviewer refuses, a malformed name',
    rows: /^lifecycle reads\/.*: (another view of the name|a malformed name)$/,
    when: ({ status }) => status === 500,
    answer: forbidden,
  },
];
