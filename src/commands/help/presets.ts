import { presets } from '../../config/options/presets.ts';
import { table } from '../../ui/table.ts';

/** What `presets` prints: the names for `--preset` and what each of them sets. */
export function presetsText(): string {
  const rows = Object.entries(presets).map(([name, { about }]) => [name, about]);
  return table(['PRESET', 'WHAT IT SETS'], rows);
}
