import { describe, expect, it } from '@jest/globals';
import { basePathOf, endpointOf } from './endpoint.ts';

describe('an endpoint', () => {
  it('has the port of its scheme and the host without brackets', () => {
    expect(endpointOf(new URL('https://[::1]/clusters/root'))).toMatchObject({
      origin: 'https://[::1]',
      authority: '[::1]',
      host: '::1',
      port: 443,
    });
    expect(endpointOf(new URL('http://host:8080'))).toMatchObject({ authority: 'host:8080', host: 'host', port: 8080 });
  });

  it('builds its TLS context at once, so that bad material is an error now', () => {
    expect(endpointOf(new URL('https://host'), { servername: 'other' }).tls).toMatchObject({ servername: 'other' });
    expect(() => endpointOf(new URL('https://host'), { cert: 'x', key: 'y' })).toThrow();
    expect(endpointOf({ socketPath: '/s' }).tls).toBeUndefined();
  });

  it('is http or https', () => {
    expect(() => endpointOf(new URL('ftp://host'))).toThrow('ftp');
  });
});

it('a base path has no slash at its end', () => {
  expect(basePathOf(new URL('https://host/clusters/root/'))).toBe('/clusters/root');
  expect(basePathOf(new URL('https://host'))).toBe('');
  expect(basePathOf({ socketPath: '/s' })).toBe('');
});
