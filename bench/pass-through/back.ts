/** The second hop: from the Unix socket to the shard, with the service's credentials and in the name of the workspace's owner. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Pool } from 'undici';
import { endPolitely, readConfiguration } from './configuration.ts';
import { passOn, sentHeaders } from './pass-on.ts';

/** As many as our services have to a shard. */
const CONNECTIONS = 64;

endPolitely();
const { headers, prefix, shardAuthority, shardCertificate, shardKey, shardURL, socket } = readConfiguration(
  process.argv.slice(2),
);
const shard = new Pool(shardURL, {
  connections: CONNECTIONS,
  allowH2: false,
  connect: { ca: readFileSync(shardAuthority), cert: readFileSync(shardCertificate), key: readFileSync(shardKey) },
});
createServer((request, response) => {
  const sent = sentHeaders(request.rawHeaders);
  if (request.url?.startsWith(`${prefix}/`)) sent.push(...headers);
  passOn(shard, request, response, sent);
}).listen(socket);
