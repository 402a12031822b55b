import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { RequestBodyError, sendableBody, shieldedBody } from './request-body.ts';
import { pause } from './upstream.fixture.ts';

const failure = (stream: Readable): Promise<unknown> => new Promise(resolve => stream.once('error', resolve));

describe('a shielded body', () => {
  it('has the same bytes', async () => {
    const source = Readable.from([Buffer.from('a'), Buffer.from('b')], { objectMode: false });
    expect(Buffer.concat(await shieldedBody(source).toArray()).toString()).toBe('ab');
  });

  it('reads nothing before it is read', async () => {
    const source = Readable.from([Buffer.from('a')], { objectMode: false });
    const shield = shieldedBody(source);
    await pause(10);
    expect(source.readableDidRead).toBe(false);
    shield.destroy();
    expect((await shieldedBody(source).toArray()).toString()).toBe('a');
  });

  it('takes no more from its source than it is asked for', async () => {
    let taken = 0;
    const source = new Readable({
      read() {
        taken += 1;
        this.push(Buffer.alloc(16 * 1024));
      },
    });
    const shield = shieldedBody(source);
    shield.read(1);
    await pause(20);
    expect(taken).toBeLessThan(20);
    shield.destroy();
  });

  it('is destroyed without its source, and listens to it no more', () => {
    const source = new PassThrough();
    for (let i = 0; i < 20; i++) shieldedBody(source).destroy();
    expect(source.destroyed).toBe(false);
    expect(source.listenerCount('data')).toBe(0);
    expect(source.listenerCount('error')).toBeLessThan(3);
  });

  it('fails as its source fails, with the reason as cause', async () => {
    const source = new PassThrough();
    const shield = shieldedBody(source);
    const reason = new Error('too large');
    source.destroy(reason);
    const error = await failure(shield);
    expect(error).toBeInstanceOf(RequestBodyError);
    expect(error).toMatchObject({ cause: reason });
  });

  it('fails when its source is closed before the end, or was already', async () => {
    const source = new PassThrough();
    const shield = shieldedBody(source);
    source.destroy();
    expect(await failure(shield)).toBeInstanceOf(RequestBodyError);
    expect(await failure(shieldedBody(source))).toBeInstanceOf(RequestBodyError);
  });

  it('survives errors that come when nobody sends it any more', async () => {
    const source = new PassThrough();
    shieldedBody(source).destroy();
    source.destroy(new Error('late'));
    await pause(5);
    expect(source.destroyed).toBe(true);
  });
});

it('an empty body is none', () => {
  expect(sendableBody(null, undefined)).toBeNull();
  expect(sendableBody('', undefined)).toBeNull();
  expect(sendableBody(new Uint8Array(), undefined)).toBeNull();
  expect(sendableBody(Readable.from([]), 0)).toBeNull();
  expect(sendableBody('é', undefined)).toHaveLength(2);
});
