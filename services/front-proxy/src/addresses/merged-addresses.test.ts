import { expect, test } from '@jest/globals';
import { lateAddresses } from '../registry/late-addresses.ts';
import { type Address, type AddressSource, allAddresses } from './addresses.ts';
import { mergedAddresses } from './merged-addresses.ts';

function sourceOf(
  views: Record<string, readonly string[]>,
  down: readonly string[] = [],
): AddressSource & { changed(): void; closed: boolean } {
  const listeners = new Set<() => void>();
  const addresses = new Map(
    Object.entries(views).map(([view, instances]) => [
      view,
      instances.map((instance): Address => ({ service: 's', instance, socketPath: '/s' })),
    ]),
  );
  return {
    closed: false,
    changed: () => {
      for (const listener of listeners) listener();
    },
    addressesOf: view => addresses.get(view) ?? (down.includes(view) ? [] : undefined),
    views: () => [...addresses.keys()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      this.closed = true;
    },
  };
}
const instances = (source: AddressSource, view: string) => source.addressesOf(view)?.map(({ instance }) => instance);

test('a view in the file is served from there only, and any other from the registry', () => {
  const merged = mergedAddresses(
    sourceOf({ a: ['file'], b: [] }, ['d', 'e']),
    sourceOf({ a: ['registry'], b: ['registry'], c: ['c'], d: ['d'] }),
  );
  expect(['a', 'b', 'c', 'd', 'e', 'f'].map(view => instances(merged, view))).toEqual([
    ['file'],
    [],
    ['c'],
    ['d'],
    [],
    undefined,
  ]);
  expect(merged.views()).toEqual(['a', 'b', 'c', 'd']);
  // Nobody connects with what is registered for a view of the file.
  expect(allAddresses(merged).map(({ instance }) => instance)).toEqual(['file', 'c', 'd']);
});

test('changes of both are told, and both are closed', () => {
  const [file, registry] = [sourceOf({}), sourceOf({})];
  const merged = mergedAddresses(file, registry);
  let changes = 0;
  const stop = merged.onChange(() => {
    changes += 1;
  });
  file.changed();
  registry.changed();
  stop();
  file.changed();
  merged.close();
  expect([changes, file.closed, registry.closed]).toEqual([2, true, true]);
});

test('a source that is still to come has any view, which is down, and tells when it is there', () => {
  const late = lateAddresses();
  let changes = 0;
  late.onChange(() => {
    changes += 1;
  });
  expect([late.addressesOf('a'), late.views()]).toEqual([[], []]);
  const source = sourceOf({ a: ['one'] });
  late.become(source);
  source.changed();
  expect([instances(late, 'a'), late.addressesOf('b'), late.views(), changes]).toEqual([['one'], undefined, ['a'], 2]);
  late.close();
  expect(source.closed).toBe(true);
});

test('a source that comes after the end is closed', () => {
  const late = lateAddresses();
  late.close();
  const source = sourceOf({});
  late.become(source);
  expect(source.closed).toBe(true);
});
