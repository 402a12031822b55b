/** The objects that workspaces are filled with: about 2.4 KB as the shard stores them, of which gzip leaves about a quarter. */

const WORDS = 'replicas timeout endpoint region cluster workspace namespace template version selector policy interval'.split(' ');

/** Two thousand characters, lines of words and numbers; the same for the same seed. */
export function settings(seed = 1): string {
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

/** As JSON. */
export function configMap(name: string, seed?: number): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { settings: settings(seed) } });
}
