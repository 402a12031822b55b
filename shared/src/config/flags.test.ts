import { describe, expect, test } from '@jest/globals';
import { asksForHelp, parseArguments, parseFlags, UsageError } from './flags.ts';
import { flagsHelp } from './flags-help.ts';
import { FLAGS } from './flags-table.ts';
import { DEFAULT_LIMITS } from './options.ts';

const KUBECONFIG = '--kubeconfig=shard.kubeconfig';
const parse = (...argv: string[]) => parseFlags([KUBECONFIG, ...argv]);
const refusal = (...argv: string[]): string => {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`${argv.join(' ')} was accepted`);
};

/** `virtual-workspaces --help` of kcp v0.32.3, and what it hides. */
const FLAGS_OF_KCP = `
  audit-log-batch-buffer-size audit-log-batch-max-size audit-log-batch-max-wait audit-log-batch-throttle-burst
  audit-log-batch-throttle-enable audit-log-batch-throttle-qps audit-log-compress audit-log-format audit-log-maxage
  audit-log-maxbackup audit-log-maxsize audit-log-mode audit-log-path audit-log-truncate-enabled
  audit-log-truncate-max-batch-size audit-log-truncate-max-event-size audit-log-version audit-policy-file
  audit-webhook-batch-buffer-size audit-webhook-batch-max-size audit-webhook-batch-max-wait
  audit-webhook-batch-throttle-burst audit-webhook-batch-throttle-enable audit-webhook-batch-throttle-qps
  audit-webhook-config-file audit-webhook-initial-backoff audit-webhook-mode audit-webhook-truncate-enabled
  audit-webhook-truncate-max-batch-size audit-webhook-truncate-max-event-size audit-webhook-version
  authentication-kubeconfig authentication-skip-lookup authentication-token-webhook-cache-ttl
  authentication-tolerate-lookup-failure bind-address cache-kubeconfig cert-dir client-ca-file context
  disable-http2-serving external-logical-cluster-admin-kubeconfig http2-max-streams-per-connection kubeconfig
  log-flush-frequency log-json-info-buffer-size log-json-split-stream log-text-info-buffer-size log-text-split-stream
  logging-format permit-address-sharing permit-port-sharing profiler-address requestheader-allowed-names
  requestheader-client-ca-file requestheader-extra-headers-prefix requestheader-group-headers requestheader-uid-headers
  requestheader-username-headers secure-port tls-cert-file tls-cipher-suites tls-curve-preferences tls-min-version
  tls-private-key-file tls-sni-cert-key v vmodule
  cache-server-kubeconfig-file shard-external-url`
  .trim()
  .split(/\s+/);

describe('the table of flags', () => {
  test('has every flag of the binary it replaces', () => {
    expect(FLAGS_OF_KCP.filter(name => !FLAGS.has(name))).toEqual([]);
  });

  test('is what --help prints, each flag with its meaning and default', () => {
    const help = flagsHelp();
    for (const { name, commands } of FLAGS.values()) {
      expect(help.includes(`  --${name}\n`) || help.includes(`  --${name}=`)).toBe(commands?.includes('up') ?? true);
    }
    expect(help).toMatch(/--secure-port=<a port, 0 to 65535>\n +port to listen on; .* \(default 6444\)/);
    expect(help).toMatch(/--shard-external-url=<a text>\n +accepted and without effect: kcp does not use it either/);
  });
});

describe('the defaults', () => {
  test('are those of kcp where it has the flag, and the documented limits', () => {
    expect(parse()).toMatchObject({
      kubeconfig: 'shard.kubeconfig',
      context: '',
      tls: { certFile: '.kcp/apiserver.crt', keyFile: '.kcp/apiserver.key', http2: true },
      bindAddress: '0.0.0.0',
      securePort: 6444,
      authenticationTokenTTL: 10,
      requestHeader: { usernameHeaders: ['X-Remote-User'], allowedNames: [], uidHeaders: [] },
      audit: { maxSizeMB: 100, maxBackups: 100, maxAgeDays: 366 },
      topology: 'fleet',
      verbosity: 2,
      limits: DEFAULT_LIMITS,
    });
  });

  test('leave out what was not given, so that a reader sees absence and not an empty text', () => {
    const options = parse('--client-ca-file=');
    for (const key of ['clientCAFile', 'cacheKubeconfig', 'opsPort']) expect(options).not.toHaveProperty(key);
    expect(options.tls).not.toHaveProperty('ciphers');
    expect(options.audit).not.toHaveProperty('path');
  });

  test('start the services with the views of kcp', () => {
    expect(parse().services).toEqual(['apiexport-vw', 'initializer-vw']);
  });

  test('start further services for the views that are asked for besides', () => {
    expect(parse('--views=workspaces').services).toEqual(['apiexport-vw', 'initializer-vw', 'workspaces-vw']);
    expect(parse('--services=apiexport-vw', '--views=workspaces,apiexport').services).toEqual(['apiexport-vw', 'workspaces-vw']);
    expect(parse('--services=workspaces-vw').services).toEqual(['workspaces-vw']);
  });
});

test('who may enter a workspace is known from RBAC, unless reviews are asked for', () => {
  expect(parse().workspaceAccess).toBe('rbac');
  expect(parse('--workspace-access=reviews').workspaceAccess).toBe('reviews');
  expect(() => parse('--workspace-access=webhook')).toThrow('--workspace-access takes rbac or reviews, not "webhook"');
});

describe('what others start us with', () => {
  test("the arguments of kcp's test harness are taken, the last in two words", () => {
    const options = parseFlags(
      `--kubeconfig=vw.kubeconfig --external-logical-cluster-admin-kubeconfig=elca.kubeconfig --cache-kubeconfig=cache.kubeconfig
       --authentication-kubeconfig=admin.kubeconfig --client-ca-file=client-ca.crt --tls-private-key-file=vw.key
       --tls-cert-file=vw.crt --bind-address=127.0.0.1 --secure-port=7444 --audit-log-maxsize=1024 --audit-log-mode=batch
       --audit-log-batch-max-wait=1s --audit-log-batch-max-size=1000 --audit-log-batch-buffer-size=10000
       --audit-log-batch-throttle-burst=15 --audit-log-batch-throttle-enable=true --audit-log-batch-throttle-qps=10
       --audit-policy-file=policy.yaml --authentication-skip-lookup --requestheader-username-headers=X-Remote-User
       --requestheader-group-headers=X-Remote-Group --requestheader-client-ca-file=rh-ca.crt --v=4 --audit-log-path audit.log`
        .trim()
        .split(/\s+/),
    );
    expect(options).toMatchObject({
      externalLogicalClusterAdminKubeconfig: 'elca.kubeconfig',
      cacheKubeconfig: 'cache.kubeconfig',
      authenticationKubeconfig: 'admin.kubeconfig',
      clientCAFile: 'client-ca.crt',
      requestHeader: { clientCAFile: 'rh-ca.crt', extraHeaderPrefixes: ['X-Remote-Extra-'] },
      bindAddress: '127.0.0.1',
      securePort: 7444,
      audit: { path: 'audit.log', maxSizeMB: 1024 },
      verbosity: 4,
    });
  });

  test('the arguments of kcp-operator are taken', () => {
    const { options, notices } = parseArguments(
      `--client-ca-file=ca.crt --tls-private-key-file=tls.key --tls-cert-file=tls.crt --bind-address=0.0.0.0 --secure-port=6443
       --requestheader-client-ca-file=rh.crt --requestheader-allowed-names=front-proxy,root-proxy
       --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group
       --requestheader-extra-headers-prefix=X-Remote-Extra- --kubeconfig=vw.kubeconfig --shard-external-url=https://127.0.0.1:6443
       -v=2`
        .trim()
        .split(/\s+/),
    );
    expect(options.requestHeader.allowedNames).toEqual(['front-proxy', 'root-proxy']);
    expect(notices).toEqual(['--shard-external-url has no effect: kcp does not use it either']);
  });
});

describe('the grammar', () => {
  test.each([['-v', '6'], ['-v=6'], ['-v6'], ['--v=6'], ['--v', '6']])('verbosity may be written %s %s', (...argv) => {
    expect(parse(...argv).verbosity).toBe(6);
  });

  test('a switch takes its value only behind an equals sign', () => {
    expect(parse('--impersonate-reads').impersonateReads).toBe(true);
    expect(parse('--impersonate-reads=F').impersonateReads).toBe(false);
    expect(refusal('--impersonate-reads', 'false')).toContain('no argument "false"');
  });

  test('a repeated list replaces the default and then grows; of anything else the last counts', () => {
    const options = parse(
      ...['--requestheader-group-headers=A,B', '--requestheader-group-headers=C', '--secure-port=1', '--secure-port=2'],
    );
    expect(options.requestHeader.groupHeaders).toEqual(['A', 'B', 'C']);
    expect(options.securePort).toBe(2);
  });

  test('a name with a comma is quoted in a list, as in CSV', () => {
    expect(parse('--requestheader-allowed-names="O=a, b",c').requestHeader.allowedNames).toEqual(['O=a, b', 'c']);
  });

  test('the old name of a flag is taken for the new one, and says so', () => {
    const { options, notices } = parseArguments([KUBECONFIG, '--cache-server-kubeconfig-file=old']);
    expect(options.cacheKubeconfig).toBe('old');
    expect(notices).toEqual(['--cache-server-kubeconfig-file is an old name: use --cache-kubeconfig']);
  });

  test('a time to live is a number of seconds or a duration', () => {
    expect(parse('--authorization-allow-ttl=90').authorizationAllowTTL).toBe(90);
    expect(parse('--authorization-deny-ttl=1m0.5s').authorizationDenyTTL).toBe(60.5);
    expect(parse('--drain-timeout=2s').limits.drain).toBe(2000);
  });

  test('help is asked for by a flag, not by the value of one', () => {
    expect(asksForHelp([KUBECONFIG, '-h'])).toBe(true);
    expect(asksForHelp(['--help'])).toBe(true);
    expect(asksForHelp(['--context', '--help'])).toBe(false);
    expect(asksForHelp(['--impersonate-reads', '--help'])).toBe(true);
  });
});

describe('what is refused, in one sentence', () => {
  test.each([
    [['--kubeconfg=x'], 'there is no flag --kubeconfg, is --kubeconfig meant? (--help lists them)'],
    [['--no-such-thing-at-all'], 'there is no flag --no-such-thing-at-all (--help lists them)'],
    [['--constructor=1'], 'there is no flag --constructor (--help lists them)'],
    [['start'], 'there is no argument "start": only flags are taken (--help lists them)'],
    [['--secure-port=https'], '--secure-port takes a port, 0 to 65535, not "https"'],
    [['--secure-port=65536'], '--secure-port takes a port, 0 to 65535, not "65536"'],
    [['--bind-address=localhost'], '--bind-address takes an IP address, not "localhost"'],
    [['--audit-log-batch-max-wait=10'], '--audit-log-batch-max-wait takes a duration such as 30s or 1m30s, not "10"'],
    [['--impersonate-reads=constructor'], '--impersonate-reads takes true or false, not "constructor"'],
    [['--requestheader-allowed-names=a,,b'], /takes a comma-separated list without empty entries, not "a,,b"/],
    [['--client-ca-file'], '--client-ca-file needs a value: --client-ca-file=…'],
    [['--client-ca-file', '--v=4'], '--client-ca-file needs a value: --client-ca-file=…'],
    [['--topology=ring'], '--topology takes fleet or single, not "ring"'],
    [['--services=constructor'], /--services takes .*initializer-vw.*, not "constructor"/],
    [['--views=nothing'], /--views takes .*terminatingworkspaces.*, not "nothing"/],
    [['--tls-cert-file='], '--tls-cert-file is required'],
  ])('%j', (argv, message) => {
    const sentence = refusal(...argv);
    if (typeof message === 'string') expect(sentence).toBe(message);
    else expect(sentence).toMatch(message);
  });

  test('a start without a kubeconfig', () => {
    expect(() => parseFlags([])).toThrow('--kubeconfig is required');
  });

  // Ignoring these would lose audit events, or serve another certificate or trust other CAs than the operator believes.
  test.each([
    ['--audit-webhook-config-file=hook.yaml', /not supported: there is no audit webhook/],
    ['--audit-log-mode=blocking-strict', /not supported: requests do not wait/],
    ['--authentication-skip-lookup=false', /not supported: CAs are not looked up/],
    ['--tls-sni-cert-key=a.crt,a.key', /not supported: one certificate is served/],
  ])('%s, because it is not safe to leave it out silently', (argument, message) => {
    expect(refusal(argument)).toMatch(message);
  });

  test('but not their harmless values', () => {
    const harmless = ['--audit-webhook-config-file=', '--audit-log-mode=blocking', '--authentication-skip-lookup=T'];
    expect(() => parse(...harmless)).not.toThrow();
  });
});
