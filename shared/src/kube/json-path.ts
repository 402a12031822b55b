/** One step into a document: a field, an index, or the elements of an array whose field has a value. */
type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'where'; readonly path: readonly string[]; readonly value: string };

const STEPS: readonly { readonly pattern: RegExp; readonly step: (groups: readonly string[]) => Step }[] = [
  // `.metadata`, dots in a name escaped: `.metadata.annotations.kcp\.io/cluster`
  { pattern: /^\.((?:[^.[\]\\]|\\.)+)/, step: ([name = '']) => ({ kind: 'field', name: name.replace(/\\(.)/g, '$1') }) },
  { pattern: /^\[(['"])((?:(?!\1).)*)\1\]/, step: ([, name = '']) => ({ kind: 'field', name: name.replace(/\\(.)/g, '$1') }) },
  { pattern: /^\[(-?\d+)\]/, step: ([index = '0']) => ({ kind: 'index', index: Number(index) }) },
  {
    pattern: /^\[\?\(\s*@((?:\.[\w-]+)+)\s*==\s*(['"])((?:(?!\2).)*)\2\s*\)\]/,
    step: ([path = '', , value = '']) => ({ kind: 'where', path: path.slice(1).split('.'), value }),
  },
];

/**
 * A function that reads the first value at a path of the kinds that printer columns use: `.spec.x`, `['x']`, `[0]`,
 * `.status.conditions[?(@.type=="Ready")].status`. It returns undefined where there is no value. The compiled path is undefined when
 * it is of another kind.
 */
export function compileJsonPath(path: string): ((document: unknown) => unknown) | undefined {
  const steps: Step[] = [];
  for (let rest = path.trim(); rest !== ''; ) {
    const found = STEPS.map(({ pattern, step }) => ({ match: pattern.exec(rest), step })).find(({ match }) => match !== null);
    if (!found?.match) return undefined;
    const [text, ...groups] = found.match;
    steps.push(found.step(groups));
    rest = rest.slice(text.length);
  }
  return document => steps.reduce<unknown[]>((values, step) => values.flatMap(value => follow(value, step)), [document])[0];
}

function follow(value: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'field':
      return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'index':
      return Array.isArray(value) ? value.slice(step.index, step.index === -1 ? undefined : step.index + 1) : [];
    case 'where':
      return Array.isArray(value) ? value.filter(element => read(element, step.path) === step.value) : [];
  }
}

const read = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((found, name) => (isRecord(found) && Object.hasOwn(found, name) ? found[name] : undefined), value);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
