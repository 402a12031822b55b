import { describe, expect, test } from '@jest/globals';
import { type Command, parseArguments } from './flags.ts';
import { flagsHelp } from './flags-help.ts';

const parse = (command: Command, ...argv: string[]) => parseArguments(argv, command).options;

describe('the flags of one service by itself', () => {
  const TRUST = ['--requestheader-client-ca-file=ca.crt', '--requestheader-allowed-names=front-proxy'];
  const serve = (...argv: string[]) => parse('serve', '--kubeconfig=x', ...argv);

  test('say whom it believes', () => {
    expect(serve(...TRUST).requestHeader).toMatchObject({ clientCAFile: 'ca.crt', allowedNames: ['front-proxy'] });
  });

  // Elsewhere these two are optional, and an empty list of names means any: here it would make anybody everybody.
  test.each([
    [[TRUST[1] as string], /^--requestheader-client-ca-file is required/],
    [[TRUST[0] as string], /^--requestheader-allowed-names is required/],
    [[TRUST[0] as string, '--requestheader-allowed-names='], /^--requestheader-allowed-names is required/],
    [['--requestheader-client-ca-file=', TRUST[1] as string], /^--requestheader-client-ca-file is required/],
  ])('do not leave that open: %j', (argv, message) => {
    expect(() => serve(...argv)).toThrow(message);
  });

  test.each(['--audit-log-path=x', '--authentication-kubeconfig=x', '--topology=single', '--views=x', '--addresses=x'])(
    'do not include what the front proxy does: %s',
    flag => {
      expect(() => serve(...TRUST, flag)).toThrow(/ does nothing for kcp-vw serve: it belongs to /);
    },
  );
});

describe('the flags of the front proxy by itself', () => {
  const front = (...argv: string[]) => parse('front-proxy', ...argv);
  const ADDRESSES = '--addresses=addresses.json';

  test('need no credentials of masters, only somewhere to review tokens', () => {
    expect(front(ADDRESSES, '--authentication-kubeconfig=a')).toMatchObject({ kubeconfig: '', authenticationKubeconfig: 'a' });
    expect(front(ADDRESSES, '--kubeconfig=k')).toMatchObject({ kubeconfig: 'k', addressesFile: 'addresses.json' });
    expect(() => front(ADDRESSES)).toThrow(/^--authentication-kubeconfig is required, or --kubeconfig/);
    expect(() => front('--authentication-kubeconfig=a')).toThrow(
      /^--addresses, --registration-kubeconfig or --kubeconfig is required/,
    );
    expect(() => front('--kubeconfig=k')).toThrow(/^--proxy-client-cert-file and --proxy-client-key-file are required/);
  });

  test('have all of what services are reached with by URL, or nothing of it', () => {
    const flags = ['--services-ca-file=ca', '--proxy-client-cert-file=cert', '--proxy-client-key-file=key'];
    expect(front(ADDRESSES, '--kubeconfig=k').serviceAccess).toEqual({});
    expect(front(ADDRESSES, '--kubeconfig=k', ...flags).serviceAccess).toEqual({
      caFile: 'ca',
      certFile: 'cert',
      keyFile: 'key',
    });
    for (const flag of flags) {
      const others = flags.filter(other => other !== flag);
      expect(() => front(ADDRESSES, '--kubeconfig=k', flag)).toThrow(/ are needed together$/);
      expect(() => front(ADDRESSES, '--kubeconfig=k', ...others)).toThrow(/ are needed together$/);
    }
  });
});

describe('the flags of up', () => {
  test('do not include those of processes by themselves', () => {
    expect(() => parse('up', '--kubeconfig=x', '--addresses=x')).toThrow(
      '--addresses does nothing for kcp-vw up: it belongs to front-proxy',
    );
  });
});

describe('the help of a command', () => {
  test('lists its own flags only', () => {
    expect(flagsHelp('serve')).not.toContain('--audit-log-path=');
    expect(flagsHelp('front-proxy')).toContain('--services-ca-file');
    expect(flagsHelp('front-proxy')).not.toContain('--cache-kubeconfig=');
  });
});
