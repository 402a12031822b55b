import { expect, test } from '@jest/globals';
import { schemaAt } from '@kcp-vw/shared/view/schema-resources.fixture.ts';
import { createEndings } from './endings.ts';
import { callTo, DEPLOYMENTS, exportOf, settled, transformed, World } from './view.fixture.ts';

const QUIET = { onChange: () => () => undefined };

/** Calls whoever listens. */
function listened() {
  const listeners: (() => void)[] = [];
  return {
    onChange: (listener: () => void) => {
      listeners.push(listener);
      return () => undefined;
    },
    change: () => {
      for (const listener of listeners) listener();
    },
  };
}

test('a request whose reason cannot be found out ends, and none besides', async () => {
  const exports = listened();
  const endings = createEndings(QUIET, exports, QUIET);
  const ended: string[] = [];
  let isBroken = false;
  const failing = (): string | undefined => {
    if (isBroken) throw new RangeError('Maximum call stack size exceeded');
    return undefined;
  };
  endings.follow('W', failing, why => ended.push(why));
  endings.follow(
    'E',
    () => undefined,
    () => ended.push('the other'),
  );
  isBroken = true;
  exports.change();
  await settled();
  expect(ended).toEqual(['whether it may go on cannot be found out: Maximum call stack size exceeded']);
  expect(endings.size).toBe(1);
});

// Whoever has an export points it to a schema like this while his own syncer watches.
test('an export that is pointed to a schema too deep to be read ends the watches of what it has', async () => {
  const world = new World();
  const ended: string[] = [];
  const plan = transformed(await world.syncer.answer(callTo('*', `${DEPLOYMENTS}?watch=true`)));
  plan.until?.(why => ended.push(why));
  let schema: object = { type: 'string' };
  for (let depth = 0; depth < 4_500; depth++) schema = { type: 'object', properties: { a: schema } };
  const deep = schemaAt('compute/deep', 'deployments.apps', { kind: 'Deployment', versions: [{ schema }] });
  world.putExport('root:compute/kubernetes', exportOf('compute/kubernetes', [deep], 'kube'));
  await settled();
  expect(ended).toEqual([expect.stringContaining('cannot be found out')]);
});
