import { randomUUID } from 'node:crypto';
import { decorated } from '@kcp-vw/shared/listener/decorated-exchange.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, headerValues, withoutHeaders } from '@kcp-vw/shared/listener/headers.ts';

const AUDIT_ID = 'audit-id';
/** As Kubernetes takes it from clients, without what could break a log line. */
const VALID = /^[\x21-\x7e]{1,64}$/;

/**
 * The exchange with an audit ID: the client's, else a new one. It travels to the shard, so that one request has one ID in every log,
 * and back to the client in every answer.
 */
export function withAuditID(exchange: Exchange): Exchange {
  const [given, ...further] = headerValues(exchange.headers, AUDIT_ID);
  const isValid = given !== undefined && further.length === 0 && VALID.test(given);
  const id = isValid ? given : randomUUID();
  return decorated(exchange, {
    ...(!isValid && { headers: [...withoutHeaders(exchange.headers, name => name === AUDIT_ID), AUDIT_ID, id] }),
    responseHeaders: headers => (headerValue(headers, AUDIT_ID) === undefined ? [...headers, AUDIT_ID, id] : headers),
  });
}
