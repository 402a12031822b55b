/** HTTP/2 frames as an attacker writes them (RFC 9113 4.1), without a library that would stop at what is not allowed. */
import type { TLSSocket } from 'node:tls';
import { connectRaw } from './listener.fixture.ts';

export const DATA = 0x0;
export const HEADERS = 0x1;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const CONTINUATION = 0x9;

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;
export const ACK = 0x1;

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A header field that is not indexed and not compressed (RFC 7541 6.2.2). */
export const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0), hpackString(name), hpackString(value)]);

function hpackString(text: string): Buffer {
  const length: number[] = [];
  if (text.length < 127) {
    length.push(text.length);
  } else {
    length.push(127);
    let rest = text.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text, 'latin1')]);
}

export const requestBlock = (method: string, path = '/'): Buffer =>
  Buffer.concat([literal(':method', method), literal(':scheme', 'https'), literal(':authority', 'a'), literal(':path', path)]);

/** A connection whose settings both sides have agreed on. */
export async function connectFrames(port: number): Promise<TLSSocket> {
  const socket = await connectRaw(port, { ALPNProtocols: ['h2'] });
  const settled = new Promise<void>(resolve => socket.once('data', () => resolve()));
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0)]));
  await settled;
  socket.write(frame(SETTINGS, ACK, 0));
  return socket;
}

/** The types of the frames that the server sends until it closes the connection. */
export function framesUntilClosed(socket: TLSSocket): Promise<{ type: number; payload: Buffer }[]> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise(resolve =>
    socket.once('close', () => {
      const received = Buffer.concat(chunks);
      const frames: { type: number; payload: Buffer }[] = [];
      for (let at = 0; at + 9 <= received.length; ) {
        const length = received.readUIntBE(at, 3);
        frames.push({ type: received.readUInt8(at + 3), payload: received.subarray(at + 9, at + 9 + length) });
        at += 9 + length;
      }
      resolve(frames);
    }),
  );
}
