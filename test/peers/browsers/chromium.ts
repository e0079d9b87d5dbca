import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Nothing that Chromium does for itself may show up among the requests of a page. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why the tests in a real browser cannot run here; undefined where they can. A build server may not go without. */
export function missingChromium(): string | undefined {
  if (existsSync(EXECUTABLE)) return undefined;
  const reason = `no Chromium at ${EXECUTABLE}; set CHROMIUM_PATH`;
  if (process.env.CI === 'true')
    throw new Error(`the pages have to be looked at in a real browser: ${reason}`);
  return reason;
}

export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}
