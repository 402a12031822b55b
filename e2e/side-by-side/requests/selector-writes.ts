/** Writes under a claim that its binding limits to objects with a label. */
import type { Row } from '../row.ts';
import { APPLY, MERGE, WRITES, write } from './claimed-write.ts';

const accounts = `${WRITES}/serviceaccounts`;
const TEAM = { team: 'wild' };

const serviceAccount = (name: string, labels?: object) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, ...(labels && { labels }) },
});

export const selectorWrites: readonly Row[] = [
  write('selector: create without the label', accounts, 'sa-1', { method: 'POST', body: serviceAccount('sa-1-{copy}') }),
  write('selector: create with the label', accounts, 'sa-2', { method: 'POST', body: serviceAccount('sa-2-{copy}', TEAM) }),
  write('selector: create with another value', accounts, 'sa-3', {
    method: 'POST',
    body: serviceAccount('sa-3-{copy}', { team: 'red' }),
  }),
  write('selector: update drops the label', accounts, 'sa-4', {
    method: 'PUT',
    before: serviceAccount('sa-4-{copy}', TEAM),
    body: serviceAccount('sa-4-{copy}'),
  }),
  write('selector: update changes the label', accounts, 'sa-5', {
    method: 'PUT',
    before: serviceAccount('sa-5-{copy}', TEAM),
    body: serviceAccount('sa-5-{copy}', { team: 'red' }),
  }),
  write('selector: merge changes the label', accounts, 'sa-6', {
    method: 'PATCH',
    before: serviceAccount('sa-6-{copy}', TEAM),
    body: { metadata: { labels: { team: 'red' } } },
    contentType: MERGE,
  }),
  write('selector: merge drops the label', accounts, 'sa-7', {
    method: 'PATCH',
    before: serviceAccount('sa-7-{copy}', TEAM),
    body: { metadata: { labels: { team: null } } },
    contentType: MERGE,
  }),
  write('selector: merge something else', accounts, 'sa-8', {
    method: 'PATCH',
    before: serviceAccount('sa-8-{copy}', TEAM),
    body: { metadata: { labels: { a: 'b' } } },
    contentType: MERGE,
  }),
  write('selector: merge what is hidden', accounts, 'sa-9', {
    method: 'PATCH',
    before: serviceAccount('sa-9-{copy}'),
    body: { metadata: { labels: TEAM } },
    contentType: MERGE,
  }),
  write('selector: update what is hidden', accounts, 'sa-10', {
    method: 'PUT',
    before: serviceAccount('sa-10-{copy}'),
    body: serviceAccount('sa-10-{copy}', TEAM),
  }),
  write('selector: apply what is hidden', accounts, 'sa-11', {
    method: 'PATCH',
    query: '?fieldManager=x&force=true',
    before: serviceAccount('sa-11-{copy}'),
    body: serviceAccount('sa-11-{copy}', TEAM),
    contentType: APPLY,
  }),
  write('selector: apply what is missing', accounts, 'sa-12', {
    method: 'PATCH',
    query: '?fieldManager=x',
    body: serviceAccount('sa-12-{copy}'),
    contentType: APPLY,
  }),
  write('selector: apply another value', accounts, 'sa-13', {
    method: 'PATCH',
    query: '?fieldManager=x',
    body: serviceAccount('sa-13-{copy}', { team: 'red' }),
    contentType: APPLY,
  }),
  write('selector: delete', accounts, 'sa-14', { method: 'DELETE', before: serviceAccount('sa-14-{copy}', TEAM) }),
  write('selector: delete what is hidden', accounts, 'sa-15', { method: 'DELETE', before: serviceAccount('sa-15-{copy}') }),
  write('selector: delete what is missing', accounts, 'sa-16', { method: 'DELETE' }),
  {
    name: 'selector: deletecollection spares what is hidden',
    method: 'DELETE',
    path: `${accounts}?fieldSelector=metadata.name%3Dsa-17-{copy}`,
    given: [{ method: 'POST', path: accounts, body: serviceAccount('sa-17-{copy}') }],
    stored: `${accounts}/sa-17-{copy}`,
  },
  write('selector: create by masters with another value', accounts, 'sa-18', {
    method: 'POST',
    user: 'masters',
    body: serviceAccount('sa-18-{copy}', { team: 'red' }),
  }),
  {
    name: 'selector: deletecollection takes what is shown',
    method: 'DELETE',
    path: `${accounts}?fieldSelector=metadata.name%3Dsa-19-{copy}`,
    given: [{ method: 'POST', path: accounts, body: serviceAccount('sa-19-{copy}', TEAM) }],
    stored: `${accounts}/sa-19-{copy}`,
  },
];
