import { writeFileSync } from 'node:fs';

/**
 * `npx tsx .build/picture.ts`: draws `.github/bridge.svg`, the README's picture of hosts, bridges, one login and the servers. Its colours follow
 * the page: light or dark.
 */

const WIDTH = 760;
const HEIGHT = 312;
const ROW_HEIGHT = 62;
const BOX_HEIGHT = 42;
const HOSTS = ['Claude Desktop', 'VS Code', 'Cursor'];

const CSS = `
text{font:13px system-ui,sans-serif;fill:#1f2328}
.small{font-size:11px;fill:#59636e}
rect,.drum{fill:#f6f8fa;stroke:#d1d9e0}
.ours rect,.ours .drum{fill:#ddf4ff;stroke:#54aeff}
path.line{fill:none;stroke:#59636e;stroke-width:1.5}
marker path{fill:#59636e}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}
.small{fill:#9198a1}
rect,.drum{fill:#151b23;stroke:#3d444d}
.ours rect,.ours .drum{fill:#0c2d4b;stroke:#1f6feb}
path.line{stroke:#9198a1}
marker path{fill:#9198a1}
}`;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const center = ({ y, height }: Box): number => y + height / 2;
const middle = ({ x, width }: Box): number => x + width / 2;

const hosts = HOSTS.map((_, at): Box => ({ x: 10, y: 34 + at * ROW_HEIGHT, width: 130, height: BOX_HEIGHT }));
const bridges = hosts.map((host): Box => ({ ...host, x: 236 }));
const server: Box = { x: 586, y: 34, width: 164, height: BOX_HEIGHT + 2 * ROW_HEIGHT };
const login: Box = { x: 226, y: 240, width: 150, height: 58 };
const issuer: Box = { x: 586, y: 244, width: 164, height: 50 };

export function picture(): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    '<title>Each host starts its own bridge. All bridges share one login and speak HTTPS with the MCP server.</title>',
    `<style>${CSS}</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>',
    text(75, 20, 'your apps', 'small'),
    text(301, 20, 'a bridge for each', 'small'),
    text(668, 20, 'on the web', 'small'),
    ...hosts.map((box, at) => rounded(box, [HOSTS[at] ?? ''])),
    '<g class="ours">',
    ...bridges.map((box) => rounded(box, ['mcp-drawbridge'])),
    drum(login, ['one login', 'for all of them']),
    '</g>',
    rounded(server, ['MCP server']),
    rounded(issuer, ['authorization server']),
    ...hosts.map((host, at) => both(host, bridges[at] as Box, at === 0 ? 'stdio' : '')),
    ...bridges.map((bridge, at) =>
      both(
        bridge,
        { ...server, y: bridge.y, height: BOX_HEIGHT },
        at === 0 ? 'HTTPS, with an access token' : '',
      ),
    ),
    line(`M${middle(login)} ${server.y + server.height + 4}V${login.y - 4}`, true),
    both(login, { ...issuer, y: login.y, height: login.height }, 'one sign-in in your browser'),
    text((login.x + login.width + issuer.x) / 2, center(login) + 16, 'one refresh for all', 'small'),
    '</svg>\n',
  ].join('\n');
}

function rounded({ x, y, width, height }: Box, words: readonly string[]): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>${inside({ x, y, width, height }, words)}`;
}

/** What stores are drawn as. */
function drum({ x, y, width, height }: Box, words: readonly string[]): string {
  const depth = 8;
  const rim = `${width / 2} ${depth}`;
  const body = `M${x} ${y + depth}A${rim} 0 0 1 ${x + width} ${y + depth}V${y + height - depth}A${rim} 0 0 1 ${x} ${y + height - depth}z`;
  const lid = `M${x} ${y + depth}A${rim} 0 0 0 ${x + width} ${y + depth}`;
  return `<path class="drum" d="${body}"/><path class="drum" style="fill:none" d="${lid}"/>${inside({ x, y: y + depth, width, height: height - depth }, words)}`;
}

function inside(box: Box, words: readonly string[]): string {
  const first = center(box) + 4.5 - (words.length - 1) * 8;
  return words.map((word, at) => text(middle(box), first + at * 16, word)).join('');
}

function both(from: Box, to: Box, words: string): string {
  const y = center(from);
  const start = from.x + from.width + 4;
  return `${line(`M${start} ${y}H${to.x - 4}`, true)}${words === '' ? '' : text((start + to.x - 4) / 2, y - 7, words, 'small')}`;
}

function line(path: string, bothWays: boolean): string {
  return `<path class="line" d="${path}" marker-end="url(#tip)"${bothWays ? ' marker-start="url(#tip)"' : ''}/>`;
}

function text(x: number, y: number, words: string, kind?: 'small'): string {
  return `<text x="${x}" y="${y}" text-anchor="middle"${kind === undefined ? '' : ` class="${kind}"`}>${words}</text>`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(new URL('../.github/bridge.svg', import.meta.url), picture());
}
