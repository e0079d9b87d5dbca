import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { Way } from '../../peers/faults/way.ts';
import { createAuthority } from '../../peers/net/certificates.ts';
import { listen } from '../../peers/net/listening.ts';

it.each([
  ['http', true],
  ['https', true],
  ['http', false],
] as const)(
  '%s: a request that is given up while the network holds it arrives later, unless it may not (%s)',
  async (scheme, neverLate) => {
    const authority = await createAuthority('Network Test Root');
    const arrived: string[] = [];
    const server = await listen(
      async (request, response) => {
        await buffer(request);
        arrived.push(request.url ?? '');
        response.end('well');
      },
      0,
      '127.0.0.1',
      scheme === 'https' ? await authority.issue() : undefined,
    );
    let connections = 0;
    server.server.on('connection', () => connections++);
    await using way = await Way.to(server.port);
    const http = await createHttp({ env: {}, ca: [authority.pem] });
    const post = async (path: string, signal?: AbortSignal) => {
      const url = new URL(`${scheme}://127.0.0.1:${way.port}${path}`);
      const { body } = await http.request({
        method: 'POST',
        url,
        body: 'token',
        neverLate,
        ...(signal === undefined ? {} : { signal }),
      });
      return Buffer.from(await buffer(body)).toString();
    };
    try {
      // Until a request goes over a connection that there was: then the next one does, too.
      let before: number;
      do {
        before = connections;
        expect(await post('/before')).toBe('well');
      } while (connections > before);
      way.cut('both');
      const stop = new AbortController();
      const held = post('/held', stop.signal).catch((error: unknown) => error);
      await expect.poll(() => way.held).toBeGreaterThan(0);
      stop.abort(new Error('waited for long enough'));
      expect(await held).toEqual(new Error('waited for long enough'));
      await expect.poll(() => way.left).toBeGreaterThan(0);
      way.heal();
      if (!neverLate) await expect.poll(() => arrived).toContain('/held');
      expect(await post('/after')).toBe('well');
      expect(arrived.filter((path) => path !== '/before')).toEqual(
        neverLate ? ['/after'] : ['/held', '/after'],
      );
    } finally {
      await http.close();
      await server.close();
    }
  },
);
