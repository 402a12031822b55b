import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import type { Call, EmptyUntilServed, Forward } from '../view/view.ts';
import { emptyCollection, queryOf } from './empty-collection.ts';
import type { Execution } from './execution.ts';
import { serveCollection } from './serve.ts';
import { stream } from './stream.ts';
import { upstreamPath } from './upstream-request.ts';
import { isNotServed } from './vacancies.ts';
import type { Vacancy } from './vacancy.ts';
import { watchVacancy } from './watch-vacancy.ts';

/** Times that a collection may come and go under one request. */
const ATTEMPTS = 3;

/**
 * Streams a list or watch, unless the shard does not serve the resource: then the list is empty, and the watch waits until it is served.
 * Informers that meet a 404 hang (kcp#2663), and so do those that wait for the end of the initial events in a silent watch (kcp#4384).
 */
export async function executeUntilServed(execution: Execution, plan: Forward, empty: EmptyUntilServed): Promise<void> {
  const { call, vacancies } = execution;
  const path = collectionPath(call, plan);
  const head = (status: number, headers: readonly string[]): readonly string[] => {
    if (status === 200) vacancies.filled(path);
    return headers;
  };
  for (let attempt = 1; ; attempt++) {
    // The pages of a list that had more of them do not end as if it were complete.
    const mayDecline = attempt <= ATTEMPTS && !call.query.get('continue');
    const outcome = await stream(execution, plan, { head, ...(mayDecline && { decline: isNotServed }) });
    if (outcome.end !== 'declined') return;
    const vacancy = await vacancies.at(path, empty.collection, call.query.get('resourceVersion') ?? '');
    if (vacancy === undefined) continue;
    return call.request.verb === 'watch' ? watchVacancy(execution, plan, empty, vacancy) : serveEmpty(execution, empty, vacancy);
  }
}

/**
 * The shard's path of the whole collection. Whatever bytes a caller asks for it in, it is the same collection: kept once, and looked for by
 * a path that is no watch.
 */
function collectionPath(call: Call, { cluster, identity }: Forward): string {
  const { apiGroup, apiVersion, resource } = call.request;
  const segments = [...(apiGroup === '' ? ['api'] : ['apis', apiGroup]), apiVersion, resource];
  const target = parseTarget(`/${segments.map(encodeURIComponent).join('/')}`);
  const destination = { ...(cluster !== undefined && { cluster }), ...(identity !== undefined && { identity }) };
  return upstreamPath({ ...call, request: requestInfo('GET', target) }, target, destination);
}

function serveEmpty({ exchange, call }: Execution, { kind }: EmptyUntilServed, { version }: Vacancy): Promise<void> {
  return serveCollection(exchange, call.request, queryOf(call.query), emptyCollection(call.request, kind, version));
}
