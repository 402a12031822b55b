/** One listener on several ports, and what it tells of the way a connection came in. */
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { openHttp2, protocols, request2 } from './client.fixture.ts';
import type { Exchange, Peer } from './exchange.ts';
import {
  answer,
  cleanUp,
  connectRaw,
  echo,
  onCleanUp,
  parseRaw,
  serveTls,
  servingPair,
  until,
  untilClosed,
  writeTlsFiles,
} from './listener.fixture.ts';
import { createListener, type Listener } from './listener.ts';

afterEach(cleanUp);

const portsOf = (listener: Listener): number[] => listener.addresses().map(address => ('port' in address ? address.port : 0));

const wayIn = ({ peer: { serverName, localPort } }: Exchange): string => JSON.stringify({ serverName, localPort });

async function seenBy(protocol: string, port: number, servername?: string): Promise<Pick<Peer, 'serverName' | 'localPort'>> {
  const options = { ...(servername && { servername }), checkServerIdentity: () => undefined };
  if (protocol === '2.0') return JSON.parse((await request2(openHttp2(port, options), {})).body);
  const socket = await connectRaw(port, options);
  const received = until(socket, '}');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return JSON.parse(parseRaw(await received).body);
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
  });

describe.each(protocols)('a connection over HTTP/%s', protocol => {
  test('is told by the port it came in on and the name it asked for, in lower case', async () => {
    const { listener } = await serveTls(exchange => answer(exchange, wayIn(exchange)), { furtherPorts: [0, 0] });
    const ports = portsOf(listener);
    expect(new Set(ports).size).toBe(3);
    for (const localPort of ports) {
      expect(await seenBy(protocol, localPort, 'VW-Root.Example')).toEqual({ serverName: 'vw-root.example', localPort });
    }
  });

  test('has no name when the client sends none', async () => {
    const { port } = await serveTls(exchange => answer(exchange, wayIn(exchange)));
    expect(await seenBy(protocol, port)).toEqual({ localPort: port });
  });
});

describe('a listener on several ports', () => {
  test('drains all of them', async () => {
    const { listener } = await serveTls(echo, { furtherPorts: [0] });
    const ports = portsOf(listener);
    expect(await Promise.all(ports.map(isOpen))).toEqual([true, true]);
    const socket = await connectRaw(ports[1] as number);
    const closed = untilClosed(socket);
    await listener.drain();
    await closed;
    expect(await Promise.all(ports.map(isOpen))).toEqual([false, false]);
    expect(listener.stats).toEqual({ connections: 0, exchanges: 0 });
  });

  test('gives back what it has when it cannot have all of them', async () => {
    const taken = await serveTls(echo);
    const free = await serveTls(echo);
    await free.listener.close();
    const options = { tls: taken.tls, limits: DEFAULT_LIMITS, handler: echo, onError: () => undefined };
    const address = { host: '127.0.0.1', port: free.port };
    await expect(createListener({ ...options, address, furtherPorts: [taken.port] })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${taken.port}: the address is already in use`,
    );
    const listener = await createListener({ ...options, address });
    onCleanUp(() => listener.close());
    expect(listener.addresses()).toEqual([address]);
  });

  test('shows a new certificate on each of them', async () => {
    const { listener, tls, folder } = await serveTls(echo, { furtherPorts: [0] });
    writeTlsFiles(folder, servingPair('second'));
    await tls.check();
    for (const port of portsOf(listener)) {
      expect((await connectRaw(port)).getPeerCertificate().subject.CN).toBe('second');
    }
  });
});
