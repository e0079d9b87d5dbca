import { version } from '../../platform/version.ts';

/** What `--version` prints. */
export function versionText(): string {
  return `${version}\n`;
}
