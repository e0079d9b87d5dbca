import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { canRun } from '../processes/tools.ts';

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

/** Whether the tests in a real browser can run here. */
export const hasChromium = () =>
  canRun(existsSync(EXECUTABLE), `Chromium at ${EXECUTABLE}, or where CHROMIUM_PATH says`);

export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}
