import type { IncomingHttpHeaders } from 'node:http';

/** A complete answer to one request. */
export class Reply {
  readonly request: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;

  constructor(request: string, status: number, headers: IncomingHttpHeaders, text: string) {
    this.request = request;
    this.status = status;
    this.headers = headers;
    this.text = text;
  }

  /** Fails with the whole answer unless its status is one of `statuses`: a bare "expected 200, got 403" explains nothing. */
  expect(...statuses: number[]): this {
    if (!statuses.includes(this.status)) {
      throw new Error(`${this.request} answered ${this.status}, not ${statuses.join(' or ')}:\n${this.text}`);
    }
    return this;
  }

  /** The body as JSON. Throws, with the body, when it is none. */
  json<T>(): T {
    try {
      return JSON.parse(this.text) as T;
    } catch (cause) {
      throw new Error(`${this.request} answered ${this.status} with something that is not JSON:\n${this.text}`, { cause });
    }
  }
}
