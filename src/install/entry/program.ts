import { posix, win32 } from 'node:path';

/** The facts about the machine that decide which path to Node is stable. */
export interface NodeStart {
  readonly execPath: string;
  readonly platform: NodeJS.Platform;
  /** The path without links; undefined if it does not exist. */
  readonly realPath: (path: string) => string | undefined;
}

/**
 * A path to the running Node that survives its next update: package managers install each version into its own folder, remove it with the next, and keep a link
 * that does not change. Node itself reports the folder.
 */
export function lastingNode({ execPath, platform, realPath }: NodeStart): string {
  const { join, sep } = platform === 'win32' ? win32 : posix;
  const path = realPath(execPath) ?? execPath;
  const parts = path.split(sep);
  const below = (name: string) => parts.indexOf(name);
  const lead = (count: number, ...rest: readonly string[]) =>
    join(parts.slice(0, count).join(sep) || sep, ...rest);
  const candidates: string[] = [];
  // Homebrew: /opt/homebrew/Cellar/node@22/22.1.0/bin/node → /opt/homebrew/opt/node@22/bin/node
  const cellar = below('Cellar');
  if (cellar !== -1)
    candidates.push(lead(cellar, 'opt', ...parts.slice(cellar + 1, cellar + 2), ...parts.slice(cellar + 3)));
  // Snap: /snap/node/9123/bin/node → /snap/node/current/bin/node
  if (parts[1] === 'snap') candidates.push(lead(3, 'current', ...parts.slice(4)));
  // Scoop: …\scoop\apps\nodejs\22.1.0\node.exe → …\scoop\apps\nodejs\current\node.exe
  const scoop = below('scoop');
  if (scoop !== -1 && parts[scoop + 1] === 'apps')
    candidates.push(lead(scoop + 3, 'current', ...parts.slice(scoop + 4)));
  // Nix: a profile keeps its targets from being collected.
  if (parts[1] === 'nix')
    candidates.push('/run/current-system/sw/bin/node', '/nix/var/nix/profiles/default/bin/node');
  return candidates.find((candidate) => realPath(candidate) === path) ?? path;
}

/** Whether a script is in a folder that a package runner may empty at any time: npx, bunx, `pnpm dlx`, `yarn dlx`, or a temporary folder. */
export function isTemporary(script: string): boolean {
  const path = script.replaceAll('\\', '/');
  return /\/_npx\/|\/bunx-\d+-|\/pnpm\/(store\/[^/]+\/tmp\/)?dlx[-/]|\/xfs-[^/]+\/dlx-|\/\.bun\/install\/cache\//.test(
    path,
  );
}
