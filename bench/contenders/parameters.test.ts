import { expect, test } from '@jest/globals';
import { parameterNamed, sharedParameters } from './parameters.ts';

const COMMAND = [
  '/bin/views',
  '--secure-port=7444',
  '--kubeconfig=a',
  '--v=4',
  '--audit-log-path',
  'audit.log',
  '--topology=fleet',
];

test('a second server gets the parameters of the first but for port, logs and topology', () => {
  expect(sharedParameters(COMMAND)).toEqual(['--kubeconfig=a']);
});

test('a value is taken away with its parameter only where the two are separate words', () => {
  expect(sharedParameters(['/bin/views', '--v=4', '--one', '--v', '4', '--two'])).toEqual(['--one', '--two']);
});

test('a parameter is found by its whole name', () => {
  expect(parameterNamed('kubeconfig', ['x', '--kubeconfig-file=b', ...COMMAND])).toBe('a');
  expect(() => parameterNamed('config', COMMAND)).toThrow('--config=');
});
