import type { Exchange } from '../listener/exchange.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Collection } from '../view/collection.ts';

export async function serveCollection(_e: Exchange, _r: RequestInfo, _q: URLSearchParams, _c: Collection): Promise<void> {
  throw new Error('being written');
}
