import { homedir } from 'node:os';
import type { CommandConfig } from '../config/config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { UsageError } from '../errors.ts';
import { certificateFlags } from '../platform/process/certificate-flags.ts';
import { version } from '../platform/version.ts';
import { storePaths } from '../store/files/paths.ts';
import type { OwnProgram } from './entry/known-command.ts';
import type { EntryRequest, Starter } from './entry/make-entry.ts';
import { isTemporary, lastingNode } from './entry/program.ts';
import { serverNameOf } from './entry/server-name.ts';
import { Journal } from './files/journal.ts';
import {
  addressInSettings,
  keepProgram,
  keptScript,
  privateSettingsFile,
  realPath,
  writePrivateSettings,
} from './files/kept-program.ts';
import type { Place } from './hosts/place.ts';
import type { PlanDeps } from './plan.ts';

/** The parts of `process` that describe how this program runs. */
export interface RunningProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execPath: string;
  /** Node's own flags, which precede the script. */
  readonly execArgv: readonly string[];
  /** The arguments of `execPath` that run this program. */
  readonly entry: readonly string[];
}

/** The parts that `install`, `uninstall` and `hosts` share. */
export interface InstallParts {
  readonly place: Place;
  readonly home: string;
  readonly script: string;
  readonly plans: PlanDeps;
}

/** This machine, and this program on it. */
export function installParts(config: CommandConfig, process: RunningProcess): InstallParts {
  const { home } = storePaths(config.home);
  const [script = ''] = process.entry;
  const scripts = [script, realPath(script) ?? script, keptScript(home, version)];
  const own: OwnProgram = { scripts: scripts.filter((each) => each !== ''), addressIn: addressInSettings };
  const { platform } = globalThis.process;
  return {
    place: { platform, env: process.env, home: homedir() },
    home,
    script,
    plans: { own, journal: new Journal(home), readFile: readSettingsFile },
  };
}

/** The input for an entry of this machine, and the files that have to exist before a host reads it. */
export interface PreparedEntry {
  readonly request: EntryRequest;
  readonly prepare: () => Promise<void>;
}

/** Creates the request for entries with these settings. Throws a UsageError for secrets in a file that others can read too. */
export function entryRequest(
  config: CommandConfig,
  process: RunningProcess,
  parts: InstallParts,
): PreparedEntry {
  const { install, server } = config;
  const { isProject } = install;
  const { words, secrets, variables } = install.entry;
  const isTold = Object.keys(secrets).length > 0;
  if (isTold && isProject) {
    throw new UsageError(`${Object.keys(secrets).join(' and ')}: secrets must not be in a shared file`, {
      hint: "write it as ${VARIABLE}, as in --header 'Authorization:Bearer ${TOKEN}'",
    });
  }
  const { platform, env } = parts.place;
  const isElsewhere = config.home !== undefined || (platform === 'linux' && Boolean(env.XDG_DATA_HOME));
  const name = install.name ?? (server === undefined ? 'server' : serverNameOf(server));
  const settingsFile = isTold ? privateSettingsFile(parts.home, name, secrets) : undefined;
  const isKept = isTemporary(realPath(parts.script) ?? parts.script);
  const script = isKept ? keptScript(parts.home, version) : parts.script;
  const starter: Starter =
    install.isNpx || isProject
      ? { kind: 'npx' }
      : {
          kind: 'script',
          node: lastingNode({ execPath: process.execPath, platform, realPath }),
          flags: certificateFlags(process.execArgv),
          script,
        };
  return {
    request: {
      starter,
      words,
      variables,
      settingsFile,
      home: isElsewhere && !isProject ? parts.home : undefined,
      shell: isProject ? {} : env,
      platform,
    },
    prepare: async () => {
      if (starter.kind === 'script' && isKept)
        await keepProgram(realPath(parts.script) ?? parts.script, parts.home, version);
      if (settingsFile !== undefined) await writePrivateSettings(settingsFile, secrets);
    },
  };
}
