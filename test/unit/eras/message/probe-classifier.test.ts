import { describe, expect, test } from 'vitest';
import {
  classifyDiscover,
  classifyInitialize,
  type Opening,
} from '../../../../src/eras/message/probe-classifier.ts';
import { stringId } from '../../../../src/protocol/message-id.ts';

const answer = (message: object): Opening['answer'] => ({
  kind: 'response',
  id: stringId('1'),
  failed: 'error' in message,
  message: { jsonrpc: '2.0', id: 1, ...message },
});
const error = (code: number) => answer({ error: { code, message: '' } });

describe('classifies the answer to initialize', () => {
  test.each<[what: string, opening: Opening, verdict: string]>([
    [
      'a legacy version',
      { status: 200, answer: answer({ result: { protocolVersion: '2025-06-18' } }) },
      'legacy',
    ],
    ['no version', { status: 200, answer: answer({ result: {} }) }, 'legacy'],
    [
      'a modern version',
      { status: 200, answer: answer({ result: { protocolVersion: '2026-07-28' } }) },
      'modern',
    ],
    ['header mismatch', { status: 400, answer: error(-32020) }, 'modern'],
    ['missing capability', { status: 400, answer: error(-32021) }, 'modern'],
    ['unsupported version', { status: 400, answer: error(-32022) }, 'modern'],
    ['method not found', { status: 404, answer: error(-32601) }, 'ask'],
    ['invalid params', { status: 400, answer: error(-32602) }, 'ask'],
    ['an error of its own', { status: 400, answer: error(-32000) }, 'unknown'],
    ['sign-in', { status: 401, answer: undefined }, 'unknown'],
    ['a page', { status: 404, answer: undefined }, 'unknown'],
  ])('%s', (_, opening, verdict) => {
    expect(classifyInitialize(opening)).toBe(verdict);
  });
});

describe('classifies the answer to server/discover', () => {
  test.each<[what: string, opening: Opening, verdict: string]>([
    [
      'versions',
      { status: 200, answer: answer({ result: { supportedVersions: ['2026-07-28'] } }) },
      'modern',
    ],
    ['unsupported version', { status: 400, answer: error(-32022) }, 'modern'],
    ['something else', { status: 200, answer: answer({ result: {} }) }, 'legacy'],
    ['method not found', { status: 200, answer: error(-32601) }, 'legacy'],
    ['no session', { status: 400, answer: error(-32000) }, 'legacy'],
    ['a plain 400', { status: 400, answer: undefined }, 'legacy'],
    ['a plain 404', { status: 404, answer: undefined }, 'legacy'],
    ['405', { status: 405, answer: undefined }, 'legacy'],
    ['sign-in', { status: 401, answer: undefined }, 'unknown'],
    ['forbidden', { status: 403, answer: undefined }, 'unknown'],
    ['overload', { status: 503, answer: undefined }, 'unknown'],
  ])('%s', (_, opening, verdict) => {
    expect(classifyDiscover(opening)).toBe(verdict);
  });
});
