import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, startChromium } from '../../peers/browsers/chromium.ts';
import { listen } from '../../peers/net/listening.ts';
import { createSignInWorld, type SignInWorld } from '../../peers/worlds/sign-in-world.ts';

const canLook = hasChromium();

let browser: Browser;
beforeAll(async () => {
  if (canLook) browser = await startChromium();
});
afterAll(() => browser?.close());

interface Seen {
  readonly page: Page;
  readonly status: number | undefined;
  readonly policy: string | undefined;
  readonly requests: readonly Request[];
  readonly complaints: readonly string[];
}

/** Loads an address in a tab and notes all that the tab asks for and complains about. */
async function look(context: BrowserContext, address: string): Promise<Seen> {
  const page = await context.newPage();
  const requests: Request[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request));
  // Chromium reports each status above 399 as well; what matters is a refusal by the policy or a script's error.
  page.on('console', (message) => {
    if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const response = await page.goto(address, { waitUntil: 'load' });
  const headers = (await response?.allHeaders()) ?? {};
  return {
    page,
    status: response?.status(),
    policy: headers['content-security-policy'],
    requests,
    complaints,
  };
}

type Visit = (context: BrowserContext, world: SignInWorld) => Promise<Seen>;

const allow: Visit = async (context, world) => {
  const { address } = await world.start();
  return look(context, await address);
};

const visits: [name: string, status: number, heading: string, visit: Visit][] = [
  ['success', 200, 'You are signed in', allow],
  [
    'denied',
    403,
    'Sign-in was declined',
    async (context, world) => {
      world.authorization.alterCallback = (url) => {
        url.searchParams.delete('code');
        url.searchParams.set('error', 'access_denied');
        url.searchParams.set(
          'error_description',
          '<img src=http://evil.example/x onerror=alert(1)>\u202e no',
        );
      };
      return allow(context, world);
    },
  ],
  [
    'failed',
    502,
    'Sign-in did not work',
    async (context, world) => {
      world.authorization.alterCallback = (url) => {
        url.searchParams.delete('code');
        url.searchParams.set('error', `server_error${'x'.repeat(400)}`);
      };
      return allow(context, world);
    },
  ],
  [
    'expired',
    410,
    'This sign-in is over',
    async (context, world) => {
      const { page } = await allow(context, world);
      const used = page.url();
      await page.close();
      return look(context, used);
    },
  ],
];

describe.skipIf(!canLook)('in a real browser', () => {
  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    test.each(visits)('%s', async (name, status, heading, visit) => {
      await using world = await createSignInWorld();
      // The width of a small phone.
      const context = await browser.newContext({ colorScheme, viewport: { width: 360, height: 640 } });
      const seen = await visit(context, world);
      const { page } = seen;

      expect(seen.status).toBe(status);
      expect(await page.getByRole('heading', { level: 1 }).allInnerTexts()).toEqual([heading]);
      const text = await page.locator('main').textContent();
      expect(text).toContain(world.server);
      expect(text).toMatch(/return to your app/i);
      expect(await page.locator('html').getAttribute('lang')).toBe('en');

      expect(seen.policy).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'$/,
      );
      expect(seen.complaints).toEqual([]);
      expect(await page.locator('script, img, link, iframe, form').count()).toBe(0);
      const hosts = new Set(seen.requests.map((request) => new URL(request.url()).hostname));
      expect([...hosts]).toEqual(['127.0.0.1']);
      expect(seen.requests.every((request) => request.isNavigationRequest())).toBe(true);

      const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
      expect(widths).toEqual([360, 360]);
      const [ground, ink] = await colours(page);
      expect(contrast(ground, ink)).toBeGreaterThan(7);
      expect(luminance(ground) > luminance(ink)).toBe(colorScheme === 'light');
      if (process.env.SCREENSHOTS)
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${colorScheme}.png` });
      await context.close();
    });
  });

  test('a forged state is a plain refusal, and the person can still sign in', async () => {
    await using world = await createSignInWorld();
    const context = await browser.newContext();
    const { outcome, address } = await world.start();
    const redirect = new URL(await address).searchParams.get('redirect_uri');
    const forged = await look(context, `${redirect}?state=forged&code=%3Cscript%3Ealert(1)%3C/script%3E`);
    expect(forged.status).toBe(400);
    expect(forged.policy).toContain("default-src 'none'");
    expect(await forged.page.locator('body').textContent()).toBe(
      'This address does not belong to a sign-in in progress.\n',
    );
    expect(await forged.page.locator('script').count()).toBe(0);
    const real = await look(context, await address);
    expect(real.status).toBe(200);
    expect((await outcome).kind).toBe('signed-in');
    await context.close();
  });

  test("another site's page cannot send requests in the background (SECURITY.md, attack 31)", async () => {
    await using world = await createSignInWorld();
    const { address } = await world.start();
    const redirect = new URL(await address).searchParams.get('redirect_uri') ?? '';
    const elsewhere = await listen((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><p>hello</p>');
    });
    const context = await browser.newContext();
    const statuses: Record<string, number> = {};
    context.on('response', (response) => {
      if (response.url().startsWith(redirect)) statuses[new URL(response.url()).search] = response.status();
    });
    const { page } = await look(context, elsewhere.origin);
    const ask = `fetch('${redirect}?MODE', { mode: 'MODE' }).then(({ type }) => type, () => 'refused')`;
    expect(await page.evaluate(ask.replaceAll('MODE', 'cors'))).toBe('refused');
    expect(await page.evaluate(ask.replaceAll('MODE', 'no-cors'))).toBe('opaque');
    expect(statuses).toMatchObject({ '?no-cors': 403 });
    await context.close();
    await elsewhere.close();
  });
});

type Colour = readonly [number, number, number];

async function colours(page: Page): Promise<[Colour, Colour]> {
  const found = await page.evaluate(
    `[getComputedStyle(document.querySelector('main')).backgroundColor, getComputedStyle(document.querySelector('p')).color]`,
  );
  const [ground = '', ink = ''] = found as string[];
  const numbers = (text: string) => [...text.matchAll(/\d+/g)].map(Number) as unknown as Colour;
  return [numbers(ground), numbers(ink)];
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Colour;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
