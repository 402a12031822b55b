import { formatFieldSelector } from '../kube/field-selectors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { headerValues } from '../listener/headers.ts';
import { withParameter } from '../target/target.ts';
import { ask } from './checked.ts';
import { type CollectedResponse, parseObject, sendCollected } from './collect.ts';
import { isStatus, type Rewriting, sendText, shown } from './rewrite.ts';
import { rewrittenBody, type SendableBody } from './rewritten-body.ts';
import { represent } from './serve-representation.ts';
import { isNotServed } from './vacancies.ts';

/** Requests of one deletecollection that are under way at a time. */
const AT_A_TIME = 8;

/**
 * Deletes the objects with these names and no others, each by a deletecollection of its own that selects its name: so the shard decides
 * whether the caller may delete the collection, and looks at nothing else in it. The first error ends it and is the answer; what is deleted
 * by then stays so, as in Kubernetes.
 */
export async function deleteEach(rewriting: Rewriting, names: readonly string[]): Promise<void> {
  const { exchange, shard, call, plan } = rewriting;
  // What the caller cannot be shown is not done either.
  const representation = represent(exchange, 'list', call.query, plan.of);
  const body = await rewrittenBody(rewriting, plan);
  if ('response' in body) return sendCollected(exchange, body.response);

  const selectors = names.length > 0 ? names.map(selecting) : [NOTHING];
  const responses = await inTurn(selectors, selector => deleteSelected(rewriting, body, selector));
  const refused = responses.find(isRefusal);
  if (refused) return sendCollected(exchange, refused);

  const deleted = responses.filter(({ status }) => status < 300).flatMap(response => itemsOf(parseObject(response.body, shard)));
  // Together: each may wait for something.
  const items = await Promise.all(deleted.map(item => shown(plan, item)));
  const warnings = new Set(responses.flatMap(({ headers }) => headerValues(headers, 'warning')));
  const headers = ['cache-control', 'no-cache, private', ...[...warnings].flatMap(text => ['warning', text])];
  const { mediaType } = representation;
  sendText(rewriting, { status: 200, headers }, { text: [...representation.list(items, {})].join(''), mediaType });
}

/** The objects as they were; of no object there may be a Status. */
const itemsOf = (answered: KubeObject): readonly KubeObject[] =>
  isStatus(answered) ? [] : ((answered.items ?? []) as readonly KubeObject[]);

const selecting = (name: string): string => formatFieldSelector([{ field: 'metadata.name', operator: '=', value: name }]);

/** No name is another than itself. By the first half a shard looks for one key instead of reading the collection. */
const NOTHING = 'metadata.name=-,metadata.name!=-';

/** Of the caller's query what chooses objects, which is done, and where a list begins and ends. */
const OF_LISTS = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'timeoutSeconds',
  'watch',
];

function deleteSelected(rewriting: Rewriting, body: SendableBody, selector: string): Promise<CollectedResponse> {
  const others = OF_LISTS.reduce((query, name) => withParameter(query, name, undefined), rewriting.rest.rawQuery);
  const rawQuery = withParameter(others, 'fieldSelector', selector);
  return ask(rewriting, { method: 'DELETE', rawQuery, ...body, accept: 'application/json' });
}

/** Where the collection is, an object that is gone already is no error. */
const isRefusal = ({ status, body }: CollectedResponse): boolean =>
  status >= 300 && (status !== 404 || isNotServed(status, body.toString()));

/** The answers in the order of the selectors, as far as it went: after a refusal nothing is begun, and what is under way is awaited. */
async function inTurn(
  selectors: readonly string[],
  deleteOne: (selector: string) => Promise<CollectedResponse>,
): Promise<readonly CollectedResponse[]> {
  const responses: CollectedResponse[] = [];
  let next = 0;
  let isOver = false;
  const work = async (): Promise<void> => {
    try {
      while (!isOver && next < selectors.length) {
        const index = next++;
        const response = await deleteOne(selectors[index] as string);
        responses[index] = response;
        isOver ||= isRefusal(response);
      }
    } catch (error) {
      isOver = true;
      throw error;
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: AT_A_TIME }, work));
  const failed = workers.find(worker => worker.status === 'rejected');
  if (failed) throw failed.reason;
  // None is missing before the first refusal but those that were never begun.
  return responses.filter(response => response !== undefined);
}
