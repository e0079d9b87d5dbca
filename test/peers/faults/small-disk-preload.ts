// Bundled by small-disk.ts and run by `node --require` before the built program; needs nothing but Node.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Call = (...args: unknown[]) => unknown;

/** On a read-only disk; a full one still renames, links and removes. */
const CHANGES = ['rename', 'link', 'unlink', 'rmdir', 'utimes', 'chmod'];
const READ_ONLY = 'EROFS';

/** While the file `state` holds the name of an error, and how much room there is, what writes more below `folder` fails with it. */
export function imitate({ folder, state }: { readonly folder: string; readonly state: string }): void {
  const { existsSync, readFileSync } = fs;
  const fault = () => (existsSync(state) ? readFileSync(state, 'utf8').split(' ') : []);
  const isBelow = (path: unknown) => typeof path === 'string' && path.startsWith(`${folder}/`);
  const check = (syscall: string, only?: string, bytes = Number.POSITIVE_INFINITY) => {
    const [code, room] = fault();
    if (code === undefined || (only !== undefined && code !== only) || bytes <= Number(room)) return;
    throw Object.assign(new Error(`${code}: imitated, ${syscall}`), { code, syscall });
  };
  const promises = fs.promises as unknown as Record<string, Call>;
  const wrap = (name: string, only: string | undefined, applies: (args: unknown[]) => boolean) => {
    const real = promises[name] as Call;
    promises[name] = async (...args: unknown[]) => {
      if (applies(args)) check(name, only);
      return real.apply(fs.promises, args);
    };
  };
  for (const name of CHANGES) wrap(name, READ_ONLY, ([path]) => isBelow(path));
  wrap('mkdir', undefined, ([path]) => isBelow(path) && !existsSync(String(path)));
  wrap('access', READ_ONLY, ([path, mode]) => isBelow(path) && (Number(mode) & fs.constants.W_OK) !== 0);
  const open = promises.open as (...args: unknown[]) => Promise<Record<string, Call>>;
  promises.open = async (path: unknown, flags: unknown, ...rest: unknown[]) => {
    const writes = isBelow(path) && (Number(flags) & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
    if (writes) check('open', READ_ONLY);
    const handle = await open.call(fs.promises, path, flags, ...rest);
    const { writeFile } = handle;
    handle.writeFile = async (...data: unknown[]) => {
      if (writes) check('write', undefined, (data[0] as Uint8Array).length);
      return writeFile?.apply(handle, data);
    };
    return handle;
  };
  syncBuiltinESMExports();
}
