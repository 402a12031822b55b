import { createHmac, randomBytes } from 'node:crypto';

const secret = randomBytes(32);

/**
 * A text of this process that stands for a token where tokens are compared or remembered: all are of one length, so that they can be
 * compared in constant time, and none leads back to its token.
 */
export const digestOf = (token: string): Buffer => createHmac('sha256', secret).update(token).digest();
