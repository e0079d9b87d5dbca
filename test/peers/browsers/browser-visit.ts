import { lookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
  /** Every address on the way, the first and the last included. */
  readonly hops: readonly string[];
}

export interface VisitOptions {
  /** What is pressed on a page that asks; by default such a page is where the visit ends. */
  readonly answer?: 'allow' | 'deny';
  /** What is filled into a page with a form, in its place; undefined: the visit ends there. */
  readonly fill?: (hidden: URLSearchParams, page: string) => URLSearchParams | undefined;
  readonly signal?: AbortSignal;
}

/** Twice what a sign-in takes; a loop ends here. */
const MAX_HOPS = 20;

/** What Chromium sends with an address that a program opened. */
const NAVIGATION_HEADERS = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'accept-language': 'en-US,en;q=0.9',
  'upgrade-insecure-requests': '1',
  'user-agent':
    'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-user': '?1',
  'sec-fetch-dest': 'document',
};

/** Opens an address as a browser would: redirects, cookies by origin and path, and the button on a consent page. */
export async function visit(address: string, options: VisitOptions = {}): Promise<Page> {
  const jar = new CookieJar();
  const hops: string[] = [];
  let next: { url: URL; form?: string } = { url: new URL(address) };
  for (;;) {
    if (hops.length === MAX_HOPS)
      throw new Error(`the browser was sent around in circles: ${hops.join(' ')}`);
    hops.push(next.url.href);
    const answer = await load(next.url, next.form, jar, options.signal);
    jar.keep(next.url, answer.headers['set-cookie'] ?? []);
    const { location } = answer.headers;
    if (answer.status >= 300 && answer.status < 400 && typeof location === 'string') {
      next = { url: new URL(location, next.url) };
      continue;
    }
    const action = /<form method="post" action="([^"]*)"/.exec(answer.body)?.[1];
    if (options.answer !== undefined && action !== undefined && next.form === undefined) {
      next = { url: new URL(decodeHtml(action), next.url), form: `answer=${options.answer}` };
      continue;
    }
    const filled = options.fill === undefined ? undefined : fillForm(answer.body, options.fill);
    if (filled !== undefined) {
      next = { url: new URL(filled.action, next.url), form: filled.form };
      continue;
    }
    return { url: next.url.href, hops, ...answer };
  }
}

type Answer = Omit<Page, 'url' | 'hops'> & { readonly headers: NodeJS.Dict<string | string[]> };

function load(
  url: URL,
  form: string | undefined,
  jar: CookieJar,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const cookie = jar.header(url);
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
      url,
      {
        agent: false,
        lookup: lookupOfPerson,
        rejectUnauthorized: false, // the authorities of tests are in no browser
        method: form === undefined ? 'GET' : 'POST',
        headers: {
          ...NAVIGATION_HEADERS,
          ...(cookie === '' ? {} : { cookie }),
          ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(signal === undefined ? {} : { signal }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(form);
  });
}

/** RFC 6761 §6.2: names under `.test` lead nowhere; here they are peers on this machine, as for the tests' proxy. */
const lookupOfPerson: LookupFunction = (hostname, options, callback) =>
  lookup(hostname.endsWith('.test') ? '127.0.0.1' : hostname, options, callback as never);

function fillForm(page: string, fill: NonNullable<VisitOptions['fill']>) {
  const action = /<form[^>]* method="post" action="([^"]*)"/.exec(page)?.[1];
  if (action === undefined) return undefined;
  const hidden = new URLSearchParams();
  for (const [, name = '', value = ''] of page.matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)"/g,
  )) {
    hidden.append(decodeHtml(name), decodeHtml(value));
  }
  const form = fill(hidden, page);
  return form && { action: decodeHtml(action), form: form.toString() };
}

function decodeHtml(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&amp;', '&');
}

/** Enough of RFC 6265 for a sign-in: host, path, deletion by an empty value or a date in the past. */
class CookieJar {
  #cookies: { name: string; value: string; host: string; path: string }[] = [];

  keep(url: URL, lines: string | readonly string[]): void {
    for (const line of [lines].flat()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const cookie = {
        name: pair.slice(0, at),
        value: pair.slice(at + 1),
        host: url.host,
        path: attribute(attributes, 'path') ?? '/',
      };
      const expires = attribute(attributes, 'expires');
      this.#cookies = this.#cookies.filter(
        (one) => one.name !== cookie.name || one.host !== cookie.host || one.path !== cookie.path,
      );
      const expired = expires !== undefined && Date.parse(expires) <= Date.now();
      if (cookie.value !== '' && !expired) this.#cookies.push(cookie);
    }
  }

  header(url: URL): string {
    return this.#cookies
      .filter((one) => one.host === url.host && pathMatches(url.pathname, one.path))
      .map((one) => `${one.name}=${one.value}`)
      .join('; ');
  }
}

function attribute(attributes: readonly string[], name: string): string | undefined {
  return attributes.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
}

function pathMatches(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
