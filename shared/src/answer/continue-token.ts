import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { badRequest, expired } from '../kube/errors.ts';

/** Where a page begins. */
export interface ContinueToken {
  /** Version of the first page, decimal. */
  readonly rv: string;
  /** Sort key of the last object of the page before. */
  readonly start: string;
}

/** What a page belongs to: path, selectors and whom it is shown to. */
export type PageOf = readonly string[];

/** A token is of use where it was made only: elsewhere nothing is known of its version. */
const KEY = randomBytes(32);

export const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';

export const writeToken = ({ rv, start }: ContinueToken, of: PageOf): string =>
  Buffer.from(JSON.stringify({ rv, start, mac: macOf({ rv, start }, of).toString('base64url') })).toString('base64url');

/**
 * Throws a StatusError: 400 for what is no token, 410 for one that was not made here for this very list. Which of these it is, or that it
 * was made up, is not told.
 */
export function readToken(text: string, of: PageOf): ContinueToken {
  const { rv, start, mac } = fieldsOf(text);
  if (typeof rv !== 'string' || !/^\d+$/.test(rv) || typeof start !== 'string') {
    throw badRequest('invalid continue token: it is not one of this server');
  }
  const given = Buffer.from(typeof mac === 'string' ? mac : '', 'base64url');
  const own = macOf({ rv, start }, of);
  if (given.length !== own.length || !timingSafeEqual(given, own)) throw expired(CONTINUE_EXPIRED);
  return { rv, start };
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown> | null) ?? {};
  } catch {
    throw badRequest('invalid continue token: it cannot be read');
  }
}

const macOf = ({ rv, start }: ContinueToken, of: PageOf): Buffer =>
  createHmac('sha256', KEY)
    .update(JSON.stringify([rv, start, ...of]))
    .digest();
