import { withoutBodyField } from '../changes.ts';
import type { Answer } from '../normalise.ts';
import { invalid, notFound } from './answers.ts';
import type { Expected } from './expected.ts';

const withoutWhat = (answer: Answer): Answer => withoutBodyField('details')(withoutBodyField('message')(answer));

export const lifecycles: readonly Expected[] = [
  {
    what: 'content of an unknown logical cluster',
    rows: /^lifecycle reads\/.*: content of an unknown cluster$/,
    answer: notFound,
  },
  {
    what: 'content path `/services/…` of an initializing workspace',
    rows: /^lifecycle reads\/initializing: content below \/services$/,
    answer: notFound,
  },
  {
    what: 'content: what a refusal names',
    rows: /^lifecycle reads\/.*: content as (provider|nobody|anonymous)$/,
    without: withoutWhat,
  },
  {
    what: 'terminating: a watch from a version that is too old',
    rows: /^lifecycle reads\/terminating: watch \?resourceVersion=1$/,
    answer: { status: 200 },
  },
  {
    what: 'status write that changes phase, URL or another list',
    rows: /^lifecycle writes\/.*: patch status of the phase$/,
    answer: invalid,
  },
  { what: 'status values of a wrong type', rows: /^lifecycle writes\/.*: patch status of a wrong type$/, answer: invalid },
  {
    what: 'status patch: what is wrong with a name',
    rows: /^lifecycle writes\/terminating: patch status of a wrong name$/,
    answer: invalid,
  },
  {
    what: 'status patch: strict field validation',
    rows: /^lifecycle writes\/.*: patch status with an unknown field, Strict$/,
    answer: invalid,
  },
  {
    what: 'a patch that names another uid',
    rows: /^lifecycle writes\/.*: patch status of another uid$/,
    without: withoutBodyField('message'),
  },
];
