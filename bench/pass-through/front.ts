/** The first hop: TLS in, over a Unix socket out. */
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import { Pool } from 'undici';
import { endPolitely, readConfiguration } from './configuration.ts';
import { passOn, sentHeaders } from './pass-on.ts';

/** As many as our front proxy has. */
const CONNECTIONS = 1_000;

endPolitely();
const { certificate, clientAuthority, key, port, socket } = readConfiguration(process.argv.slice(2));
const back = new Pool('http://localhost', { connections: CONNECTIONS, socketPath: socket, allowH2: false });
const server = createSecureServer(
  {
    allowHTTP1: true,
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(clientAuthority),
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => passOn(back, request, response, sentHeaders(request.rawHeaders)),
);
// Node does this for its HTTP/1.1 servers, and forgets it for HTTP/1.1 on a server of HTTP/2: a body in pieces would wait for the client's ACK.
server.on('connection', (socket: Socket) => socket.setNoDelay(true));
server.listen(port, '127.0.0.1');
