import { describe, expect, test } from '@jest/globals';
import { readChildMessage } from './child-messages.ts';

describe('a message of a child', () => {
  test.each([
    { type: 'ready' },
    { type: 'waiting', for: 'shard root' },
    { type: 'fatal', message: 'no' },
    { type: 'listening', socket: '/a.sock', views: ['one'] },
  ])('is taken as it is: $type', message => {
    expect(readChildMessage(message)).toEqual(message);
  });

  test.each([
    null,
    'ready',
    {},
    { type: 'other' },
    { type: 'waiting' },
    { type: 'fatal', message: 1 },
    { type: 'listening', socket: '/a.sock', views: [1] },
    { type: 'listening', views: [] },
  ])('is nothing when it is not one of ours: %j', message => {
    expect(readChildMessage(message)).toBeUndefined();
  });
});
