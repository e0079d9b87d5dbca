import { execFileSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `npm run release:version`, before a release is tagged: the changes that `.changeset/` describes become a version in package.json and an entry in
 * `.github/CHANGELOG.md`. Changesets writes CHANGELOG.md beside package.json; it is kept in `.github`.
 */
const root = new URL('..', import.meta.url).pathname;
const beside = join(root, 'CHANGELOG.md');
const kept = join(root, '.github/CHANGELOG.md');

if (existsSync(kept)) renameSync(kept, beside);
try {
  execFileSync('npx', ['--yes', '@changesets/cli@2', 'version'], { cwd: root, stdio: 'inherit' });
} finally {
  if (existsSync(beside)) renameSync(beside, kept);
}
