import { hasEncodedSlash, type Target } from '../target/target.ts';
import type { Scope } from './view.ts';

/** Every path of the fleet's views starts with this segment. */
export const SERVICES = 'services';

type Part = { readonly literal: string } | { readonly parameter: string };

/** What a target holds of a view's path. */
export interface MatchedPath {
  readonly scope: Scope;
  /** Segments taken, `services` and the view's name included. */
  readonly length: number;
}

/** A view's path, compiled: how many segments it takes and what they mean. */
export interface PathPattern {
  /** Undefined when the target is not of this shape; `incomplete` when only its last parameter is empty. */
  match(target: Target): MatchedPath | 'incomplete' | undefined;
}

/**
 * Compiles `/:team/clusters/:cluster`, or several such paths, of which a target has the longest that it can have. Throws on a path that is
 * not a plain list of literals and `:parameters`.
 */
export function compilePath(viewName: string, paths: string | readonly string[]): PathPattern {
  const shapes = (typeof paths === 'string' ? [paths] : paths)
    .map(path => partsOf(viewName, path))
    .sort((a, b) => b.length - a.length);
  return {
    match(target) {
      if (target.segments[0] !== SERVICES || target.segments[1] !== viewName) return undefined;
      for (const parts of shapes) {
        const matched = matchParts(parts, target);
        if (matched !== undefined) return matched;
      }
      return undefined;
    },
  };
}

function partsOf(viewName: string, path: string): readonly Part[] {
  if (!/^(\/:?[A-Za-z][A-Za-z0-9-]*)*$/.test(path)) throw new Error(`view ${viewName}: invalid path "${path}"`);
  return path
    .split('/')
    .slice(1)
    .map(part => (part.startsWith(':') ? { parameter: part.slice(1) } : { literal: part }));
}

function matchParts(parts: readonly Part[], target: Target): MatchedPath | 'incomplete' | undefined {
  const scope: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = target.segments[index + 2];
    // Without any segment of its own a path says nothing of the view but its name.
    const isLast = index > 0 && index === parts.length - 1;
    if (segment === undefined && isLast && target.rawPath.endsWith('/')) return 'incomplete';
    // An encoded slash would make one segment look like two to whoever decodes it next.
    if (segment === undefined || segment === '' || hasEncodedSlash(segment)) return undefined;
    if ('parameter' in part) scope[part.parameter] = segment;
    else if (segment !== part.literal) return undefined;
  }
  return { scope: Object.freeze(scope), length: parts.length + 2 };
}
