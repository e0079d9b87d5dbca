import { archive } from '../bundle/archive.ts';
import { type BundleSettings, bundleManifest, slug } from '../bundle/manifest.ts';
import { ConfigError, describeError } from '../errors.ts';
import { quote } from '../protocol/quote.ts';

/** What `bundle` needs. */
export interface BundleParts {
  readonly settings: Omit<BundleSettings, 'hasIcon'>;
  /** A PNG file, ideally 512 × 512 pixels. */
  readonly iconFile?: string | undefined;
  /** The path of the bundle; by default `NAME.mcpb` in the current folder. */
  readonly outputFile?: string | undefined;
  /** Replaces a file that is already there. */
  readonly force: boolean;
  readonly version: string;
  readonly readFile: (path: string) => Uint8Array;
  readonly programFiles: () => Map<string, Uint8Array>;
  readonly write: (path: string, bytes: Uint8Array, replace: boolean) => void;
}

/** Larger icons would make up most of the bundle, which hosts load completely. */
const ICON_MAX_BYTES = 300 * 1024;
/** PNG specification §5.2. */
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Writes the bundle; returns its path and size in bytes. Throws ConfigError. */
export function bundle(parts: BundleParts): { readonly path: string; readonly bytes: number } {
  const { settings, iconFile, version } = parts;
  const icon = iconFile === undefined ? undefined : readIcon(iconFile, parts);
  const manifest = bundleManifest({ ...settings, hasIcon: icon !== undefined }, version);
  const files = parts.programFiles();
  files.set('manifest.json', Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  if (icon !== undefined) files.set('icon.png', icon);
  const bytes = archive(files);
  const path = parts.outputFile ?? `${slug(settings.name)}.mcpb`;
  try {
    parts.write(path, bytes, parts.force);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new ConfigError(`the bundle cannot be written: ${describeError(error)}`);
    throw new ConfigError(`${quote(path)} exists already`, {
      hint: 'pass --force to replace it, or another file with --output',
    });
  }
  return { path, bytes: bytes.length };
}

function readIcon(path: string, { readFile }: BundleParts): Uint8Array {
  let icon: Uint8Array;
  try {
    icon = readFile(path);
  } catch (error) {
    throw new ConfigError(`--icon cannot be read: ${describeError(error)}`);
  }
  if (!PNG_SIGNATURE.equals(icon.subarray(0, PNG_SIGNATURE.length)))
    throw new ConfigError(`--icon: expected a PNG file; ${quote(path)} is not one`);
  if (icon.length > ICON_MAX_BYTES)
    throw new ConfigError(
      `--icon: expected at most ${ICON_MAX_BYTES} bytes; ${quote(path)} has ${icon.length}`,
    );
  return icon;
}
