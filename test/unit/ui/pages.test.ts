import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type PageView, renderPage } from '../../../src/ui/pages.ts';

const SERVER = 'https://mcp.example/mcp';
const HOSTILE =
  '<script>alert(1)</script><img src=x onerror=alert(1)> " \' & \u001b[31mred\u0007 \u202eevil\u2066 \u200b';
const views: PageView[] = [
  { kind: 'signed-in', server: SERVER },
  { kind: 'denied', server: SERVER },
  { kind: 'denied', server: SERVER, serverMessage: 'access_denied' },
  { kind: 'failed', server: SERVER, reason: 'it broke', hint: 'Mend it.' },
  { kind: 'gone', server: SERVER },
];

test.each([
  ['signed-in', 200],
  ['denied', 403],
  ['failed', 502],
  ['gone', 410],
  ['bad-request', 400],
] as const)('%s answers %d', (kind, status) => {
  expect(renderPage({ kind, server: SERVER, reason: 'r' } as PageView).status).toBe(status);
});

describe.each(views)('$kind', (view) => {
  const page = renderPage(view);

  test('names the server, and says to return to the app', () => {
    expect(page.body).toContain(SERVER);
    expect(page.body).toMatch(/return to your app/i);
    expect(page.body).toMatch(/<html lang="en">/);
    expect(page.body.match(/<h1>/g)).toHaveLength(1);
  });

  test('has its content security policy, and the one stylesheet that it allows', () => {
    const style = /<style>(.*)<\/style>/s.exec(page.body)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page.headers).toEqual({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });

  test('contains no script and loads nothing', () => {
    expect(page.body).not.toMatch(
      /<script|<link|<img|<iframe|<form|\son\w+=|\ssrc=|\shref=|url\(|@import|style="/i,
    );
  });
});

test.each<[string, PageView]>([
  ['server', { kind: 'signed-in', server: HOSTILE }],
  ['said', { kind: 'denied', server: SERVER, serverMessage: HOSTILE }],
  ['reason', { kind: 'failed', server: SERVER, reason: HOSTILE }],
  ['hint', { kind: 'failed', server: SERVER, reason: 'r', hint: HOSTILE }],
])('what comes from outside is shown as text: %s', (_name, view) => {
  const { body } = renderPage(view);
  expect(body).toContain('&#60;script&#62;alert(1)&#60;/script&#62;');
  expect(body).toContain('onerror=alert(1)&#62; &#34; &#39; &#38; [31mred evil');
  expect(body).not.toMatch(/<script|<img|[^\P{C}\n]/u);
});

test('a long text is cut', () => {
  const { body } = renderPage({ kind: 'denied', server: SERVER, serverMessage: 'x'.repeat(100_000) });
  expect(body).toContain(`>${'x'.repeat(199)}…<`);
});

test('a bad request shows none of its contents', () => {
  const page = renderPage({ kind: 'bad-request' });
  expect(page.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(page.body).toBe('This address does not belong to a sign-in in progress.\n');
});
