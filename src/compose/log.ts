import type { Config } from '../config/config.ts';
import { systemClock } from '../platform/clock.ts';
import { createLogSink, type LogSink } from '../platform/log/sink.ts';
import { storePaths } from '../store/files/paths.ts';
import { settingSecrets } from './settings/setting-secrets.ts';

/** The log according to the settings; it redacts the secrets in the settings. */
export function composeLogger(
  config: Pick<Config, 'home' | 'log' | 'headers' | 'oauth' | 'store'> & {
    readonly server?: URL | undefined;
  },
): LogSink {
  const { home, log, headers, oauth, server, store } = config;
  return createLogSink({
    ...log,
    clock: systemClock,
    secrets: settingSecrets({ headers, server, store, ...oauth }, process.env),
    folder: log.debug ? storePaths(home).logs : undefined,
  });
}

/** A plain log on stderr, for messages before the settings are known or after the log is closed. */
export function createEmergencyLog(): LogSink {
  return createLogSink({ format: 'text', debug: false, silent: false, clock: systemClock });
}
