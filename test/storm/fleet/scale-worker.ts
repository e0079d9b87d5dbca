import type { Authorization } from '../../../src/auth/authorization.ts';
import { composeAuthorization } from '../../../src/compose/credential.ts';
import { systemPlatform } from '../../../src/compose/platform.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { readSettingsFile } from '../../../src/config/sources/read-file.ts';
import { describeError } from '../../../src/errors.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';
import type { ScaleAnswer, ScaleReport, ScaleTask } from './scale.ts';

const { signal } = new AbortController();

/** Runs as a process: so many instances, each with the store, the connection and the authorization of a bridge. */
async function main(): Promise<void> {
  const [count = '0', ...words] = process.argv.slice(2);
  const parsed = loadConfig(words, {}, readSettingsFile);
  if (parsed.command !== 'bridge') throw new Error('a bridge was meant');
  const { config } = parsed;
  const all = await Promise.all(
    Array.from({ length: Number(count) }, () =>
      composeAuthorization(config, keyOf(config), systemPlatform(''), silentLogger),
    ),
  );
  process.on('message', async ({ refused }: ScaleTask) => {
    const before = process.cpuUsage();
    const answers = await Promise.all(all.map((one) => call(one, refused)));
    const { user, system } = process.cpuUsage(before);
    tell({ answers, processorMs: (user + system) / 1000 });
  });
  tell({ answers: [], processorMs: 0 });
}

/** As a bridge that has sent a request: with a token that serves, or with one that was refused. */
async function call(authorization: Authorization, refused: string | undefined): Promise<ScaleAnswer> {
  try {
    if (refused === undefined) {
      const bearer = await authorization.current(signal);
      if (bearer !== undefined) authorization.worked?.(bearer);
      return { token: bearer?.token ?? '', at: Date.now() };
    }
    const recovery = await authorization.recover({ token: refused }, undefined, signal);
    if (recovery.kind !== 'retry') return { token: '', at: Date.now(), failed: recovery.kind };
    authorization.worked?.(recovery.bearer);
    return { token: recovery.bearer.token, at: Date.now() };
  } catch (error) {
    return { token: '', at: Date.now(), failed: describeError(error) };
  }
}

const tell = (report: ScaleReport) => process.send?.(report);

await main();
