import type { KubeObject } from '../kube/objects.ts';

/** Characters of texts that are kept at most. */
const MAX_LENGTH = 64 * 1024 * 1024;

/**
 * Makes the JSON text of objects that never change. The text of one that is asked for again is kept while the object lives: what a
 * thousand watchers get is made once or twice, and what is listed once costs nothing. At their limit all texts are given up at once; those
 * that are still asked for come back.
 */
export function createObjectTexts(maxLength = MAX_LENGTH): (object: KubeObject) => string {
  /** Undefined: asked for once. */
  let texts = new WeakMap<KubeObject, string | undefined>();
  let length = 0;
  return object => {
    const known = texts.get(object);
    if (known !== undefined) return known;
    const text = JSON.stringify(object);
    if (!texts.has(object)) texts.set(object, undefined);
    else {
      // Those of objects that live no longer are counted, too: nobody tells of their end.
      if (length + text.length > maxLength) {
        texts = new WeakMap();
        length = 0;
      }
      length += text.length;
      texts.set(object, text);
    }
    return text;
  };
}
