import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram } from '../../platform/program/find-program.ts';
import { type Host, newFile } from '../hosts/host.ts';
import { type HostId, hostIds, hostOf } from '../hosts/hosts.ts';
import type { Place } from '../hosts/place.ts';

/** A host, with the file that it uses. */
export interface FoundHost {
  readonly id: HostId;
  readonly host: Host;
  readonly file: string;
  /** The file is that of a project. */
  readonly isProject: boolean;
  /** The host seems to be on this machine. */
  readonly isHere: boolean;
  /** Its own program, if it is on the path. */
  readonly program: string | undefined;
}

/** Looks for every host. `project`: the folder whose own files are meant; hosts without such files are left out. */
export async function findHosts(place: Place, project?: string): Promise<readonly FoundHost[]> {
  const found = await Promise.all(hostIds.map((id) => findHost(id, place, project)));
  return found.filter((each) => each !== undefined);
}

async function findHost(
  id: HostId,
  place: Place,
  project: string | undefined,
): Promise<FoundHost | undefined> {
  const host = hostOf(id);
  const all = (await Promise.all(host.files(place).map(matching))).flat();
  const users = await first(all);
  const fresh = newFile(host.files(place));
  const own =
    project === undefined ? undefined : (host.projectFiles ?? []).map((parts) => join(project, ...parts));
  const file = own === undefined ? (users ?? fresh) : ((await first(own)) ?? newFile(own));
  if (file === undefined) return undefined;
  const program = host.program && findProgram(host.program, place);
  const signs = host.signs?.(place) ?? host.files(place).map((each) => dirname(each));
  const isHere = users !== undefined || program !== undefined || (await first(signs)) !== undefined;
  return { id, host, file, isProject: project !== undefined, isHere, program };
}

async function first(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await stat(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** The matches of a path with a `*` in the name of one folder; newest first. */
async function matching(path: string): Promise<readonly string[]> {
  const parts = path.split(/(?<=[\\/])/);
  const at = parts.findIndex((part) => part.includes('*'));
  if (at === -1) return [path];
  const parent = parts.slice(0, at).join('');
  const [before = '', after = ''] = (parts[at] ?? '').replace(/[\\/]$/, '').split('*');
  const names = await readdir(parent).catch(() => []);
  return names
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .sort()
    .reverse()
    .map((name) => join(parent, name, ...parts.slice(at + 1)));
}
