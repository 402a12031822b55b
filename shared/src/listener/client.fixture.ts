/** Clients of either protocol that tell whether a response was complete. */
import type { ClientRequest } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { request as requestHttps } from 'node:https';
import type { Readable, Writable } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { onCleanUp, serverCA } from './listener.fixture.ts';

export function openHttp2(port: number, options: ConnectionOptions = {}): ClientHttp2Session {
  // nghttp2 refuses to send as much as we are ready to receive.
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    ...{ ca: serverCA.certPem, maxSendHeaderBlockLength: 4 * 1024 * 1024 },
    ...options,
  });
  session.on('error', () => {});
  onCleanUp(() => session.destroy());
  return session;
}

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The response ended as it should: it was not cut. */
  readonly complete: boolean;
}

/** One request over HTTP/2. */
export function request2(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer | string): Promise<Response> {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
  const response = responseOf(stream);
  if (body !== undefined) stream.end(body);
  return response;
}

export function responseOf(stream: ClientHttp2Stream): Promise<Response> {
  let status = 0;
  let headers: Response['headers'] = {};
  let body = '';
  let ended = false;
  stream.on('response', received => {
    status = received[':status'] ?? 0;
    headers = received;
  });
  stream.on('data', (chunk: Buffer) => {
    body += chunk.toString('latin1');
  });
  stream.once('end', () => {
    ended = true;
  });
  stream.on('error', () => {});
  return new Promise(resolve => {
    stream.once('close', () => resolve({ status, headers, body, complete: ended && stream.rstCode === 0 }));
  });
}

export const protocols = ['1.1', '2.0'] as const;
export type Protocol = (typeof protocols)[number];

/** A client of one protocol, so that a test can be said once for both. */
export interface Client {
  request(options: RequestOptions): Promise<Response>;
  /** Sends the head of a request only. */
  open(options: RequestOptions): OpenRequest;
}

export interface RequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string;
}

export interface OpenRequest {
  /** The request's body, to write to. */
  readonly upload: Writable;
  readonly response: Promise<Response>;
  /** The response's body as it comes, when its head is here. */
  readonly download: Promise<Readable>;
  leave(): void;
}

export function clientOf(protocol: Protocol, port: number): Client {
  if (protocol === '2.0') {
    const session = openHttp2(port);
    return {
      request: ({ method = 'GET', path = '/', headers, body }) =>
        request2(session, { ...headers, ':method': method, ':path': path }, body),
      open({ method = 'POST', path = '/', headers }) {
        const stream = session.request({ ...headers, ':method': method, ':path': path }, { endStream: method === 'GET' });
        const download = new Promise<Readable>(resolve => stream.once('response', () => resolve(stream)));
        const leave = (): void => stream.close(constants.NGHTTP2_CANCEL);
        return lazily(stream, () => responseOf(stream), download, leave);
      },
    };
  }
  const open = ({ method = 'POST', path = '/', headers }: RequestOptions): OpenRequest => {
    const request = requestHttps({
      ...{ host: '127.0.0.1', port, ca: serverCA.certPem, agent: false, method, path },
      ...(headers && { headers }),
    });
    onCleanUp(() => void request.destroy());
    // The response carries what a test wants to know; a broken pipe after it does not matter.
    request.on('error', () => {});
    const download = new Promise<Readable>(resolve => request.once('response', resolve));
    if (method === 'GET') request.end();
    return lazily(
      request,
      () => responseOf1(request),
      download,
      () => void request.destroy(),
    );
  };
  return {
    open,
    request({ body, ...options }) {
      const { upload, response } = open({ method: 'GET', ...options });
      const received = response;
      upload.end(body);
      return received;
    },
  };
}

/** Whoever takes the body piece by piece must not find it taken already. */
const lazily = (
  upload: Writable,
  response: () => Promise<Response>,
  download: Promise<Readable>,
  leave: () => void,
): OpenRequest => ({
  upload,
  get response() {
    return response();
  },
  download,
  leave,
});

function responseOf1(request: ClientRequest): Promise<Response> {
  return new Promise(resolve => {
    let isAnswered = false;
    request.once('close', () => {
      if (!isAnswered) resolve({ status: 0, headers: {}, body: '', complete: false });
    });
    request.once('response', response => {
      isAnswered = true;
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      response.on('error', () => {});
      response.once('close', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, complete: response.complete });
      });
    });
  });
}
