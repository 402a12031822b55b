/** What answers look like where ours are meant to differ. */
import type { Answer } from '../normalise.ts';

export interface ExpectedAnswer {
  readonly status: number;
  readonly body?: unknown;
}

export const refused = (status: number, reason: string): ExpectedAnswer => ({
  status,
  body: { kind: 'Status', reason, code: status },
});

export const badRequest = refused(400, 'BadRequest');
export const forbidden = refused(403, 'Forbidden');
/** A Status, as an API server sends it. */
export const notServed = refused(404, 'NotFound');
/** A Status, or the text that Go's router sends. */
export const notFound: ExpectedAnswer = { status: 404 };
export const notAcceptable = refused(406, 'NotAcceptable');
export const invalid = refused(422, 'Invalid');

/** Whether kcp answers, or its shard then holds, something with such a text in its JSON. */
export const holds =
  (text: RegExp) =>
  ({ body, status, stored }: Answer): boolean =>
    status < 300 && text.test(JSON.stringify([body, stored]));
