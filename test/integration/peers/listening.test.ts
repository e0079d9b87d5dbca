import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../../peers/net/certificates.ts';
import { type Listening, listen } from '../../peers/net/listening.ts';

const HELLO = 'GET / HTTP/1.1\r\nHost: server\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: server\r\nConnection: upgrade\r\nUpgrade: odd\r\n\r\n';

async function overTls(): Promise<Listening> {
  return listen(() => {}, 0, '127.0.0.1', await (await createAuthority('drawbridge test CA')).issue());
}

/** Does not end by itself when the server ends. */
function client(port: number): Socket {
  return connect({ port, host: '127.0.0.1', allowHalfOpen: true });
}

/** Until the server has taken the connection: only then does it hold up the end of the server. */
async function accepted({ server, port }: Listening): Promise<Socket> {
  const [socket] = await Promise.all([client(port), once(server, 'connection')]);
  return socket;
}

const connections: Record<string, () => Promise<[Listening, Socket]>> = {
  'a request without an answer': async () => {
    const server = await listen(() => {});
    const socket = client(server.port);
    socket.write(HELLO);
    await once(server.server, 'request');
    return [server, socket];
  },
  'bytes that are no HTTP in place of an answer': async () => {
    const server = await listen((request) => void request.socket.end('SSH-2.0-odd\r\n\r\n'));
    const socket = client(server.port);
    socket.write(HELLO);
    await once(socket, 'data');
    return [server, socket];
  },
  'a connection that a handler has taken over': async () => {
    const server = await listen(() => {});
    server.server.on('upgrade', (_request, taken) => taken.write('HTTP/1.1 101 Odd\r\n\r\n'));
    const socket = client(server.port);
    socket.write(UPGRADE);
    await once(socket, 'data');
    return [server, socket];
  },
  'a connection without a TLS handshake': async () => {
    const server = await overTls();
    return [server, await accepted(server)];
  },
  'a connection over TLS': async () => {
    const server = await overTls();
    const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return [server, socket];
  },
};

describe('a server of the tests closes although there is', () => {
  test.each(Object.entries(connections))('%s', async (_name, open) => {
    const [server, socket] = await open();
    socket.on('error', () => undefined);
    const closed = once(socket.resume(), 'close');
    await server.close();
    expect(server.server.listening).toBe(false);
    socket.end();
    await closed;
  });
});
