/** What somebody may not enter cannot be told from what is not there: neither a workspace nor a parent. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { CREATIONS, LABELS, object, QUESTIONS, type Question } from '../support/hidden-questions.ts';
import { target } from '../support/identities.ts';
import type { List, Workspace } from '../support/kube.ts';
import type { Reply } from '../support/reply.ts';
import { adminIn, createParent, uniqueSuffix } from '../support/workspaces.ts';
import {
  createReady,
  describeWorkspacesView,
  letIn,
  namesIn,
  ROADS,
  shownNames,
  somebody,
  storedWorkspaces,
  transparently,
  userSubject,
  WORKSPACES,
} from '../support/workspaces-view.ts';

const [root, second = root] = target.shards;
const ROUNDS = 200;
/** A role. */
const CHANGER = 'changer';
const ENTERS = 'somebody who may enter the parent';
const RULES = 'somebody who may do everything in the parent';
const CHANGES = 'somebody who may change what is in the parent, and create nothing';
const NOBODY = 'somebody who may enter neither the parent nor anything in it';

/** What is of each answer alone. */
const OWN_HEADERS = ['date', 'audit-id'];

/** An answer as far as it may tell something. `names` are those that were asked for; versions go on whatever is asked. */
function told({ status, headers, text }: Reply, ...names: readonly string[]) {
  const kept = Object.entries(headers).filter(([header]) => !OWN_HEADERS.includes(header));
  const said = names
    .reduce((rest, name) => rest.replaceAll(name, 'NAME'), text)
    .replace(/"resourceVersion":"\d+"/g, '"resourceVersion":""');
  return { status, headers: Object.fromEntries(kept), text: said };
}

describeWorkspacesView('what somebody may not enter', () => {
  let org: string;
  let hidden: Workspace;
  /** As long as the name of the hidden one. */
  const missing = `e2e-${uniqueSuffix()}`;
  const callers: Record<string, Credentials> = {
    [ENTERS]: somebody('enters'),
    [RULES]: somebody('rules'),
    [CHANGES]: somebody('changes'),
    [NOBODY]: somebody('nobody'),
  };
  const callerOf = (who: string): Credentials => callers[who] as Credentials;

  beforeAll(async () => {
    org = await createParent();
    hidden = await createReady(org, second);
    const visible = await createReady(org);
    const verbs = ['get', 'list', 'watch', 'update', 'patch', 'delete'];
    const rules = [
      { verbs, apiGroups: ['tenancy.kcp.io'], resources: ['workspaces', 'workspaces/status'] },
      { verbs: ['access'], nonResourceURLs: ['/'] },
    ];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: CHANGER }, rules };
    (await adminIn(org).post('/apis/rbac.authorization.k8s.io/v1/clusterroles', role)).expect(201);
    for (const [who, given] of [[ENTERS], [RULES, 'cluster-admin'], [CHANGES, CHANGER]] as const) {
      const subject = userSubject(callerOf(who).name);
      await letIn(org, subject, given);
      await letIn(visible.spec.cluster, subject);
      await eventually('sight', async () => expect(await shownNames(callerOf(who), org)).toEqual([visible.metadata.name]));
    }
  }, 240_000);

  describe.each(ROADS)('on $road', ({ to }) => {
    const tellingOf = async (who: string, { ask }: Question, name: string) => {
      const { method, path, ...options } = ask(name);
      return told(await to(callerOf(who), org).send(method, WORKSPACES + path, options), name);
    };

    describe.each([ENTERS, RULES, CHANGES])('to %s', who => {
      test.each(QUESTIONS)('is as what is not there: $what', async question => {
        const [there, nowhere] = [await tellingOf(who, question, hidden.metadata.name), await tellingOf(who, question, missing)];
        expect(there).toEqual(nowhere);
        if (question.status !== undefined) expect(there.status).toBe(question.status);
      });
    });

    describe.each([ENTERS, CHANGES])('to %s', who => {
      test.each(CREATIONS)('is as what is not there, and cannot be made: $what', async question => {
        const [there, nowhere] = [await tellingOf(who, question, hidden.metadata.name), await tellingOf(who, question, missing)];
        expect(there).toEqual(nowhere);
        expect(there.status).toBe(question.status);
      });
    });

    test('is not changed by any of this', async () => {
      const stored = (await storedWorkspaces(org)).find(({ metadata }) => metadata.name === hidden.metadata.name);
      expect(stored?.metadata.labels).not.toHaveProperty('changed');
      expect(stored?.metadata).not.toHaveProperty('deletionTimestamp');
    });

    describe.each([ENTERS, NOBODY])('as a parent, to %s', who => {
      const REQUESTS: readonly { readonly method: string; readonly path: string; readonly body?: unknown }[] = [
        { method: 'GET', path: WORKSPACES },
        { method: 'GET', path: `${WORKSPACES}?watch=true` },
        { method: 'GET', path: `${WORKSPACES}/any` },
        { method: 'POST', path: WORKSPACES, body: object('any') },
        { method: 'DELETE', path: `${WORKSPACES}/any` },
        { method: 'DELETE', path: WORKSPACES },
        { method: 'GET', path: `${WORKSPACES}/~` },
      ];
      const DOCUMENTS = ['/version', '/api', '/apis', '/openapi/v3'];
      const requests =
        to === transparently ? REQUESTS : [...REQUESTS, ...DOCUMENTS.map(path => ({ method: 'GET', path, body: undefined }))];

      test.each(requests)(
        'is refused in the same words wherever a path leads, and where it leads nowhere: $method $path',
        async request => {
          const { method, path, body } = request;
          const existing = [`${org}:${hidden.metadata.name}`, hidden.spec.cluster, ...(who === NOBODY ? [org] : [])];
          const others = [
            'root:nosuchworkspace',
            `${org}:${missing}`,
            `${org}:${missing}:below`,
            `${org}:${hidden.metadata.name}:below`,
            `${hidden.spec.cluster}:below`,
            '2nosuchcluster23',
            'user:nosuchuser',
          ];
          const answers = async (parents: readonly string[]) =>
            Promise.all(parents.map(async parent => told(await to(callerOf(who), parent).send(method, path, { body }))));
          const told_ = await answers(existing);
          for (const answer of told_) expect(answer).toEqual(told_[0]);
          expect(told_[0]?.status).toBe(403);
          const nowhere = await answers(others);
          // The front proxy of kcp refuses these itself, before it has looked who asks.
          if (to === transparently) expect(nowhere.map(({ status }) => status)).toEqual(others.map(() => 403));
          else for (const answer of nowhere) expect(answer).toEqual(told_[0]);
        },
      );
    });

    test('is left alone when somebody deletes all that there is, who may', async () => {
      const parent = await createParent();
      const [kept, labelled, other] = await Promise.all([createReady(parent, second), createReady(parent), createReady(parent)]);
      const who = somebody('deleter');
      await letIn(parent, userSubject(who.name), 'cluster-admin');
      for (const { spec } of [labelled, other]) await letIn(spec.cluster, userSubject(who.name));
      const names = [labelled, other].map(({ metadata }) => metadata.name).sort();
      await eventually('sight', async () => expect(await shownNames(who, parent, to)).toEqual(names));
      (await to(who, parent).mergePatch(`${WORKSPACES}/${labelled.metadata.name}`, LABELS)).expect(200);

      const some = (await to(who, parent).delete(`${WORKSPACES}?labelSelector=changed`)).expect(200).json<List<Workspace>>();
      expect(namesIn(some)).toEqual([labelled.metadata.name]);
      await eventually('the end', async () => expect(await shownNames(who, parent, to)).toEqual([other.metadata.name]), 60_000);
      const all = (await to(who, parent).delete(WORKSPACES)).expect(200).json<List<Workspace>>();
      expect(namesIn(all)).toEqual([other.metadata.name]);
      await eventually('the end', async () => expect(await shownNames(who, parent, to)).toEqual([]), 60_000);
      // Who has lost what let him in may not see it any more, though it is not gone yet.
      const left = await eventually('what is left', async () => {
        const found = await storedWorkspaces(parent);
        expect(found.map(({ metadata }) => metadata.name)).toEqual([kept.metadata.name]);
        return found;
      });
      expect(left[0]?.metadata).not.toHaveProperty('deletionTimestamp');
    });

    test(`takes as long, in the middle of ${ROUNDS}, as what is not there`, async () => {
      const client = to(callerOf(ENTERS), org);
      const took: Record<string, number[]> = { [hidden.metadata.name]: [], [missing]: [] };
      for (let round = 0; round < ROUNDS; round++) {
        for (const [name, times] of Object.entries(took)) {
          const began = performance.now();
          (await client.get(`${WORKSPACES}/${name}`)).expect(404);
          times.push(performance.now() - began);
        }
      }
      const [there, nowhere] = Object.values(took).map(times => times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0);
      process.stdout.write(`GET, ms, median of ${ROUNDS}: hidden ${there?.toFixed(2)}, missing ${nowhere?.toFixed(2)}\n`);
    });
  });
});
