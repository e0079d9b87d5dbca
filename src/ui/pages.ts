import { createHash } from 'node:crypto';
import { plainText, shownAddress } from '../protocol/quote.ts';
import { PAGE_STYLE, scene } from './page-style.ts';

/** What the browser shows after the redirect from the authorization server. */
export type PageView =
  | { readonly kind: 'signed-in'; readonly server: string }
  | { readonly kind: 'denied'; readonly server: string; readonly serverMessage?: string | undefined }
  | {
      readonly kind: 'failed';
      readonly server: string;
      readonly reason: string;
      readonly hint?: string | undefined;
    }
  /** The sign-in that this address belonged to is over: the address was used before, or the deadline has passed. */
  | { readonly kind: 'gone'; readonly server: string }
  /** The address belongs to no sign-in; the page quotes none of it. */
  | { readonly kind: 'bad-request' };

/** An HTTP answer for the browser. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Renders a page from constant texts; anything from outside is cleaned, shortened and escaped (.github/SECURITY.md, attacks 24, 30). */
export function renderPage(view: PageView): Page {
  switch (view.kind) {
    case 'signed-in':
      return html(200, 'good', 'You are signed in', [
        paragraph(`Your app can now use ${name(view.server)}.`),
        next('You can close this tab and return to your app. It continues by itself.'),
      ]);
    case 'denied':
      return html(403, 'bad', 'Sign-in was declined', [
        paragraph(`Your app did not get access to ${name(view.server)}.`),
        quoted('The server said:', view.serverMessage),
        next('You can close this tab and return to your app. To try again, use the server from your app.'),
      ]);
    case 'failed':
      return html(502, 'bad', 'Sign-in did not work', [
        paragraph(`Your app could not be signed in to ${name(view.server)}.`),
        quoted('What went wrong:', view.reason),
        view.hint === undefined ? '' : paragraph(escapeHtml(plainText(view.hint))),
        next('You can close this tab and return to your app. To try again, use the server from your app.'),
      ]);
    case 'gone':
      return html(410, 'mild', 'This sign-in is over', [
        paragraph(`The address was used before, or the sign-in to ${name(view.server)} has expired.`),
        next('Return to your app. If it still asks for a sign-in, start it from there.'),
      ]);
    case 'bad-request':
      return {
        status: 400,
        headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' },
        body: 'This address does not belong to a sign-in in progress.\n',
      };
  }
}

const STYLE_HASH = createHash('sha256').update(PAGE_STYLE).digest('base64');

const HEADERS = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;

function html(
  status: number,
  tone: 'good' | 'bad' | 'mild',
  title: string,
  content: readonly string[],
): Page {
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main class="${tone}">
${scene(tone === 'good')}
<div class="text">
<h1>${title}</h1>
${content.filter((part) => part !== '').join('\n')}
<footer>mcp-drawbridge, on this computer</footer>
</div>
</main>
</body>
</html>
`;
  return { status, headers: { ...HEADERS, 'content-type': 'text/html; charset=utf-8' }, body };
}

/** `content` must already be HTML. */
function paragraph(content: string): string {
  return `<p>${content}</p>`;
}

function next(text: string): string {
  return `<p class="next">${text}</p>`;
}

function name(server: string): string {
  return `<strong>${escapeHtml(plainText(shownAddress(server)))}</strong>`;
}

function quoted(label: string, text: string | undefined): string {
  const clean = plainText(text ?? '');
  return clean === '' ? '' : `<p>${label}</p>\n<blockquote>${escapeHtml(clean)}</blockquote>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
