import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/** Whether the server answers its readiness with 200; one that is not there yet is not ready. `authority` is a PEM file. */
export function isReady(url: string, authority: string): Promise<boolean> {
  let ca: string;
  try {
    ca = readFileSync(authority, 'utf8');
  } catch {
    // Servers make it first of all.
    return Promise.resolve(false);
  }
  return new Promise(resolve => {
    const probe = request(`${url}/readyz`, { ca, timeout: 2_000 }, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.on('error', () => resolve(false));
    probe.on('timeout', () => probe.destroy());
    probe.end();
  });
}
