/** Test equipment: a registrar of one view with a registry, a clock and a certificate that a test moves. */
import { afterEach } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { ManualClock } from '../informer/scripted.fixture.ts';
import type { ServingTls } from '../listener/tls.ts';
import { type RegisterOptions, type Registrar, register } from './registrar.ts';
import { FakeRegistry } from './registry.fixture.ts';

export const fleet = createAuthority({ commonName: 'fleet-ca' });
export const { certPem: leafPem } = fleet.issue({ commonName: 'a-vw', usage: 'server', sans: ['DNS:localhost'] });

const running: { readonly registrar: Registrar; readonly clock: ManualClock }[] = [];
afterEach(async () => {
  for (const { registrar, clock } of running.splice(0)) {
    const ended = registrar.withdraw();
    await clock.advance(60_000);
    await ended;
  }
});

/** The line of a log: its level, message and what it says of the reason. */
export type Line = readonly [level: string, message: string, fields: Readonly<Record<string, unknown>>];

export interface SetUp {
  readonly fake: FakeRegistry;
  readonly clock: ManualClock;
  readonly lines: Line[];
  readonly registrar: Registrar;
  ready: boolean;
  /** The file of the serving certificate has changed. */
  serve(certPem: string): void;
  /** Lets time pass, in steps that a timer may follow another in. */
  pass(milliseconds: number): Promise<void>;
}

export async function setUp(options: Partial<RegisterOptions> = {}, fake = new FakeRegistry()): Promise<SetUp> {
  const clock = new ManualClock();
  const lines: Line[] = [];
  const listeners = new Set<Parameters<ServingTls['onChange']>[0]>();
  const say = (level: string) => (fields: object, message: string) => void lines.push([level, message, { ...fields }]);
  const state = { ready: true };
  const registrar = register({
    connect: async () => fake.registry,
    registration: { instance: 'host-1', leaseSeconds: 15 },
    advertisedUrl: 'https://host-1:7443',
    views: ['notes'],
    ready: () => state.ready,
    tls: {
      context: { cert: leafPem },
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    log: { info: say('info'), warn: say('warn') } as unknown as RegisterOptions['log'],
    clock,
    date: () => new Date(Date.UTC(2026, 0, 1) + clock.now()),
    random: () => 0,
    ...options,
  });
  running.push({ registrar, clock });
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 250) await clock.advance(250);
  };
  await clock.advance(0);
  return Object.assign(state, {
    fake,
    clock,
    lines,
    registrar,
    pass,
    serve: (cert: string) => {
      for (const listener of [...listeners]) listener({ cert });
    },
  });
}

/** With the view installed, and registered. */
export async function setUpRegistered(options: Partial<RegisterOptions> = {}): Promise<SetUp> {
  const fake = new FakeRegistry();
  for (const view of options.views ?? ['notes']) fake.install(view);
  const all = await setUp(options, fake);
  fake.takeRequests();
  return all;
}
