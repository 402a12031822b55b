import { hasEncodedSlash, type Target } from '../target/target.ts';
import type { Scope } from './view.ts';

/** Every path of the fleet's views starts with this segment. */
export const SERVICES = 'services';

type Part = { readonly literal: string } | { readonly parameter: string };

/** A view's path, compiled: how many segments it takes and what they mean. */
export interface PathPattern {
  /** Segments taken, `services` and the view's name included. */
  readonly length: number;
  /** The scope; undefined when the target is not of this shape; `incomplete` when only the last parameter is empty. */
  match(target: Target): Scope | 'incomplete' | undefined;
}

/** Compiles `/:team/clusters/:cluster`. Throws on a path that is not a plain list of literals and `:parameters`. */
export function compilePath(viewName: string, path: string): PathPattern {
  if (!/^(\/:?[A-Za-z][A-Za-z0-9-]*)*$/.test(path)) throw new Error(`view ${viewName}: invalid path "${path}"`);
  const parts: readonly Part[] = path
    .split('/')
    .slice(1)
    .map(part => (part.startsWith(':') ? { parameter: part.slice(1) } : { literal: part }));
  return {
    length: parts.length + 2,
    match(target) {
      if (target.segments[0] !== SERVICES || target.segments[1] !== viewName) return undefined;
      const scope: Record<string, string> = {};
      for (const [index, part] of parts.entries()) {
        const segment = target.segments[index + 2];
        if (segment === undefined && index === parts.length - 1 && target.rawPath.endsWith('/')) return 'incomplete';
        // An encoded slash would make one segment look like two to whoever decodes it next.
        if (segment === undefined || segment === '' || hasEncodedSlash(segment)) return undefined;
        if ('parameter' in part) scope[part.parameter] = segment;
        else if (segment !== part.literal) return undefined;
      }
      return Object.freeze(scope);
    },
  };
}
