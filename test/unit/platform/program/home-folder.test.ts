import { expect, test } from 'vitest';
import { missingHome } from '../../../../src/platform/program/home-folder.ts';

const unknown = () => {
  throw new Error('ENOENT');
};

test.each<[string, string | undefined, () => string, string | undefined]>([
  ['one that is there', '/home/ada', unknown, undefined],
  ['none', undefined, () => '/home/ada', '/home/ada'],
  ['an empty one', '', () => '/home/ada', '/home/ada'],
  ['a relative one', 'ada', () => '/home/ada', '/home/ada'],
  ['none, of a user that the system does not know', undefined, unknown, '/'],
  ['none, and the system has a relative one', undefined, () => '', '/'],
])('HOME: %s', (_, HOME, folderOfUser, expected) => {
  expect(missingHome({ HOME }, 'linux', folderOfUser)).toBe(expected);
});

test('on Windows nothing is changed', () => {
  expect(missingHome({}, 'win32', () => 'C:\\Users\\ada')).toBeUndefined();
});
