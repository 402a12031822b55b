import { expect, test } from '@jest/globals';
import { subjects } from './subjects.ts';

test.each(Object.entries(subjects))('the names of %s are unique: differences are declared by them', (_subject, rows) => {
  const names = rows.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
