import type { Upstream, UpstreamStats } from './upstream.ts';

/** Of several upstreams that serve one purpose, for metrics. */
export function statsOfAll(upstreams: Iterable<Pick<Upstream, 'stats'>>): UpstreamStats {
  const all = [...upstreams].map(upstream => upstream.stats());
  const sum = (of: (stats: UpstreamStats) => number): number => all.reduce((total, stats) => total + of(stats), 0);
  return {
    unaryConnections: sum(stats => stats.unaryConnections),
    unaryInFlight: sum(stats => stats.unaryInFlight),
    watchSessions: sum(stats => stats.watchSessions),
    watchStreams: sum(stats => stats.watchStreams),
    tunnels: sum(stats => stats.tunnels ?? 0),
  };
}
