import { admitted, ask, type Checked } from './checked.ts';
import { objectBody } from './checked-body.ts';
import { sendCollected } from './collect.ts';

/** Shows the guard the object that a POST would make, and makes it with what the guard puts on it. */
export async function createChecked(checked: Checked): Promise<void> {
  const { exchange, rest } = checked;
  const body = await objectBody(checked, 'POST');
  if ('response' in body) return sendCollected(exchange, body.response);
  const { object, contentType, encode } = body.given;
  const labels = admitted(checked, { operation: 'create', proposed: object });
  const request = { method: 'POST', rawQuery: rest.rawQuery, body: encode({ labels }), contentType } as const;
  sendCollected(exchange, await ask(checked, request));
}
