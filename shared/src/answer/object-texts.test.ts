import { expect, test } from '@jest/globals';
import { createObjectTexts } from './object-texts.ts';

/** An object that counts how often its text is made. */
function counting(length = 10) {
  const object = { made: 0, toJSON: () => ({ name: 'x'.repeat(length), made: ++object.made }) };
  return object;
}

test('the text of an object is made twice, whoever asks how often', () => {
  const textOf = createObjectTexts();
  const object = counting();
  const texts = Array.from({ length: 100 }, () => textOf(object));
  expect([texts[0], texts[99]]).toEqual(['{"name":"xxxxxxxxxx","made":1}', '{"name":"xxxxxxxxxx","made":2}']);
  expect(object.made).toBe(2);
});

test('at the limit what is kept is given up, and comes back', () => {
  const textOf = createObjectTexts(100);
  const [one, other] = [counting(50), counting(50)];
  for (let i = 0; i < 3; i++) textOf(one);
  for (let i = 0; i < 3; i++) textOf(other);
  expect([one.made, other.made]).toEqual([2, 2]);
  for (let i = 0; i < 3; i++) textOf(one);
  expect(one.made).toBe(4);
});
