/** Test equipment: a shard that does not serve cowboys until it is told to, and a service whose callers ask for them. */
import { afterEach } from '@jest/globals';
import type { Caller } from '../authn/identity.ts';
import { ManualClock, settle } from '../informer/scripted.fixture.ts';
import { toStatusError } from '../kube/errors.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { type FakeExchange, fakeExchange } from '../testing/fake-exchange.ts';
import { type FakeResponse, type FakeUpstream, fakeUpstream } from '../testing/fake-upstream.ts';
import { type Call, forward } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { executeForward } from './forward.ts';
import { sendStatus } from './send.ts';
import { createVacancies } from './vacancies.ts';

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
export const COWBOYS = '/apis/wild.io/v1/cowboys';
export const BINDINGS = '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings';
export const NOT_SERVED: FakeResponse = { status: 404, headers: ['content-type', 'text/plain'], body: '404 page not found\n' };
export const TABLE = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'];
export const METADATA = [
  'accept',
  'application/vnd.kubernetes.protobuf,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
];

export const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
export const ADDED = event('ADDED', { metadata: { name: 'joe', resourceVersion: '31' } });
const END = event('BOOKMARK', { metadata: { resourceVersion: '32', annotations: { 'k8s.io/initial-events-end': 'true' } } });

/** A shard that serves cowboys when it is told to, and their watches. */
export function shardWithout() {
  const status = { served: false, version: '30', watch: 'open' };
  const shard = fakeUpstream(({ path }): FakeResponse => {
    if (path.startsWith(BINDINGS)) return { body: { metadata: { resourceVersion: status.version } } };
    if (!status.served) return NOT_SERVED;
    if (!path.includes('watch=')) return { body: { kind: 'CowboyList', metadata: { resourceVersion: '31' }, items: [{}] } };
    if (status.watch === 'refused') return { status: 403, body: {} };
    if (status.watch === 'filling') return { status: 429, body: {} };
    if (status.watch === 'gone') return NOT_SERVED;
    return { body: path.includes('sendInitialEvents') ? ADDED + END + ADDED : ADDED, open: status.watch === 'open' };
  });
  return { shard, status };
}

interface World {
  readonly shard: FakeUpstream;
  readonly clock?: ManualClock;
}

const opened: FakeExchange[] = [];
afterEach(() => {
  for (const exchange of opened.splice(0)) exchange.leave();
});

/** A fleet of one process: what it learns of one request it knows in the next. */
export function serviceOf({ shard, clock = new ManualClock() }: World) {
  const drain = createDrain();
  const vacancies = createVacancies(shard, clock);
  let wake: (() => void) | undefined;
  let endAccess = (): void => {};
  const plan = forward({
    cluster: '*',
    identity: 'h4sh',
    select: 'claimed=yes',
    emptyUntilServed: {
      kind: 'Cowboy',
      collection: BINDINGS,
      wake: look => {
        wake = look;
        return () => {
          wake = undefined;
        };
      },
    },
    until: end => {
      endAccess = () => end('the access has ended');
      return () => undefined;
    },
    because: 'test',
  });
  async function ask(query = '', headers: readonly string[] = [], path = COWBOYS) {
    const url = `${path}${query && `?${query}`}`;
    const exchange = fakeExchange('GET', url, { headers });
    opened.push(exchange);
    const rest = parseTarget(url);
    const call: Call = { caller, scope: {}, request: requestInfo('GET', rest), query: rest.query };
    executeForward({ exchange, shard, drain, vacancies, call, rest }, plan).catch(error =>
      sendStatus(exchange, toStatusError(error)),
    );
    for (let i = 0; i < 4; i++) await settle();
    return exchange;
  }
  return { ask, clock, drain, plan, isListening: () => wake !== undefined, wake: () => wake?.(), endAccess: () => endAccess() };
}

export const events = ({ text }: FakeExchange): { type: string; object: { kind?: string; metadata?: object; code?: number } }[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
export const watches = ({ requests }: FakeUpstream) =>
  requests.filter(({ longRunning }) => longRunning).map(({ path }) => decodeURIComponent(path));
