/** What the workspace is filled with. */

/** Namespaces by how many configmaps they hold. */
export const SIZES = [10, 500, 5_000] as const;
export type Size = (typeof SIZES)[number];
export const namespaceOf = (size: Size): string => `size-${size}`;
/** Where objects come and go. */
export const CREATED = 'created';
export const EVENTS = 'events';

/** How many logical clusters wait for the type. */
export const LOGICAL_CLUSTER_COUNT = 20;

/** About 2.4 KB as the shard stores it, of which gzip leaves about a quarter. */
export function configMap(name: string, seed = 1): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { settings: settings(seed) } });
}

const WORDS = 'replicas timeout endpoint region cluster workspace namespace template version selector policy interval'.split(' ');

/** Lines of words and numbers, the same for the same seed. */
function settings(seed: number): string {
  let state = seed;
  const next = (): number => {
    // The multiplier of Numerical Recipes; all that is asked of it is that gzip cannot foresee it.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  let text = '';
  while (text.length < 2_000) {
    const word = WORDS[(next() >>> 16) % WORDS.length] ?? '';
    const digest = next().toString(16) + next().toString(16);
    text += `${word}.settings.example.kcp.io/digest: ${digest}\n`;
  }
  return text;
}
