import { expect, test } from '@jest/globals';
import { type NginxOptions, nginxConfig } from './nginx-config.ts';

const OPTIONS: NginxOptions = {
  port: 1234,
  certificate: 'serving.crt',
  key: 'serving.key',
  clientAuthority: 'clients.crt',
  shard: { host: '127.0.0.1', port: '6444' },
  shardAuthority: 'shard-ca.crt',
  shardCertificate: 'service.crt',
  shardKey: 'service.key',
  prefix: '/clusters/abc',
  headers: ['Impersonate-User', 'ann "o"', 'Impersonate-Group', 'one', 'Impersonate-Group', 'two'],
  folder: '/work',
};

test('each header is sent, as often as it is given, and only below the prefix', () => {
  const [, below = '', elsewhere = ''] = nginxConfig(OPTIONS).split('location ');
  expect(below).toContain('/clusters/abc/ {');
  expect(below).toContain('proxy_set_header Impersonate-User "ann \\"o\\"";');
  expect(below.match(/Impersonate-Group/g)).toHaveLength(2);
  expect(elsewhere).not.toContain('Impersonate');
});

test('the shard is verified, and its connections are kept', () => {
  const config = nginxConfig(OPTIONS);
  expect(config).toContain('proxy_ssl_verify on;');
  expect(config).toContain('keepalive 64;');
  expect(config).toContain('server 127.0.0.1:6444;');
});

test('a value that nginx would take for a variable is refused', () => {
  expect(() => nginxConfig({ ...OPTIONS, headers: ['Impersonate-User', 'a$b'] })).toThrow('a$b');
});
