import { createServer } from 'node:http';
import { connect } from 'node:net';
import { Journal } from '../net/journal.ts';

/** A company's proxy: tunnels by CONNECT and writes down where to. It alone knows the names under `.test` (RFC 6761 §6.2): peers on this machine. */
export interface ForwardProxy extends AsyncDisposable {
  readonly url: string;
  readonly tunnels: Journal<string>;
}

export async function startForwardProxy(): Promise<ForwardProxy> {
  const tunnels = new Journal<string>();
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((_request, response) => response.writeHead(501).end());
  server.on('connect', (request, client, head) => {
    const target = request.url ?? '';
    tunnels.add(target);
    const { hostname, port } = new URL(`http://${target}`);
    const upstream = connect(Number(port), hostname.endsWith('.test') ? '127.0.0.1' : hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    tunnels,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
