import { expect, test } from '@jest/globals';
import { ask, THING, THINGS, thingShard, trail } from './guarded.fixture.ts';

const LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

async function get(path: string, accept: string) {
  const shard = thingShard();
  const { status } = await ask(shard, {}, 'GET', path, { headers: ['accept', accept] });
  return { status, asked: trail(shard).length };
}

// A shard answers "content is not a list", with 500.
test('one object as the metadata of a list is not acceptable', async () => {
  expect(await get(THING, LIST)).toEqual({ status: 406, asked: 0 });
});

test('an alternative that can be had counts', async () => {
  expect(await get(THING, `application/json,${LIST}`)).toEqual({ status: 200, asked: 1 });
});

test('a list as its metadata goes to the shard', async () => {
  expect(await get(THINGS, LIST)).toMatchObject({ asked: 1 });
});
