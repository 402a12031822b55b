import { withoutListMetadata } from '../changes.ts';
import type { Expected } from './expected.ts';

export const schemas: readonly Expected[] = [
  {
    what: '`apiresourceschema`: resourceVersion of a list',
    rows: /^schemas\/list (\/|over|as application\/(json|yaml)|\?resourceVersion|$)|^identities\/schemas as masters$/,
    when: ({ status }) => status === 200,
    without: withoutListMetadata,
  },
  {
    what: '`apiresourceschema`: selectors and pages',
    rows: /^schemas\/list \?(limit=1|labelSelector=a=b|fieldSelector=metadata\.name=x)$/,
    answer: { status: 200, body: { kind: 'APIResourceSchemaList' } },
  },
  {
    what: '`apiresourceschema`: watches',
    rows: /^schemas\/watch /,
    answer: { status: 200 },
  },
  {
    what: '`apiresourceschema`: a consumer that has bound nothing',
    rows: /^schemas\/a consumer without bindings$/,
    answer: { status: 200, body: { kind: 'APIResourceSchemaList', items: {} } },
  },
];
