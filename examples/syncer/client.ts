import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';

/** A request that a server has answered, with a refusal. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const isRefused = (error: unknown, ...codes: readonly number[]): boolean =>
  error instanceof Refused && codes.includes(error.code);

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

/** A server, or one of its workspaces: paths are below it. */
export interface Client {
  /** Rejects with `Refused` for every answer but a success. `type` is that of the body, by default `application/json`. */
  send<T = unknown>(method: string, path: string, body?: object, type?: string): Promise<T>;
  /** Undefined if it is not there. */
  find<T>(path: string): Promise<T | undefined>;
}

/** `base` is the path of a URL, with or without a slash at its end. */
export function createClient(upstream: Upstream, base: string): Client {
  const root = base.replace(/\/+$/, '');

  async function send<T>(method: string, path: string, body?: object, type = 'application/json'): Promise<T> {
    const headers = ['accept', 'application/json', ...(body ? ['content-type', type] : [])];
    const response = await requestText(upstream, {
      ...{ method, path: root + path, headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = parsed(response.body);
    if (response.status >= 300) throw new Refused(response.status, refusalOf(method, root + path, response.status, answer));
    if (answer === undefined) throw new UpstreamError('reset', `${upstream.name} answered ${method} ${root}${path} with no JSON`);
    return answer as T;
  }

  return {
    send,
    async find<T>(path: string) {
      try {
        return await send<T>('GET', path);
      } catch (error) {
        if (isRefused(error, 404)) return undefined;
        throw error;
      }
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Servers refuse with plain text, too: a group that nobody serves, for one.
    return undefined;
  }
}

function refusalOf(method: string, path: string, status: number, answer: unknown): string {
  const { message = '' } = (answer ?? {}) as { readonly message?: string };
  return `${method} ${path}: ${status} ${message}`.trim();
}
