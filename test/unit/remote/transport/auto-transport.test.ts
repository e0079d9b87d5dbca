import { describe, expect, it } from 'vitest';
import { suggestsOther } from '../../../../src/remote/transport/auto-transport.ts';

const refusal = (status: number, body = '') => ({
  status,
  contentType: '',
  wwwAuthenticate: undefined,
  retryAfter: undefined,
  location: undefined,
  body: Buffer.from(body),
});
const error = (code: unknown, id: unknown = null) =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: 'm' } });

describe('what the answer to the first message says about the transport', () => {
  it.each([400, 404, 405, 406, 415, 501])('%d suggests the other', (status) => {
    expect(suggestsOther(refusal(status))).toBe(true);
    expect(suggestsOther(refusal(status, '<html>'))).toBe(true);
    expect(suggestsOther(refusal(status, error(-32_000)))).toBe(true);
    expect(suggestsOther(refusal(status, error('-32022')))).toBe(true);
  });

  it.each([-32_020, -32_021, -32_022])('the modern error %d does not, with an id or without', (code) => {
    expect(suggestsOther(refusal(400, error(code)))).toBe(false);
    expect(suggestsOther(refusal(400, error(code, 1)))).toBe(false);
    expect(suggestsOther(refusal(404, JSON.stringify({ error: { code } })))).toBe(false);
  });

  it.each([301, 307, 401, 402, 403, 408, 409, 413, 429, 500, 502, 503, 504])('%d does not', (status) => {
    expect(suggestsOther(refusal(status))).toBe(false);
  });
});
