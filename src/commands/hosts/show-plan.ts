import { type DiffLine, lineDiff } from '../../install/diff.ts';
import { type HostPlan, type PlanRefusal, textAfter } from '../../install/plan.ts';
import { printable } from '../../platform/log/printable.ts';
import { shownAddress } from '../../protocol/quote.ts';
import { redactor } from '../../redaction/secrets.ts';

/** Longer lines come from files without line breaks. Additions are shown as far as a terminal stays readable. */
const MAX_COLUMNS = { same: 160, removed: 160, added: 2_000 };

/** Marks for a terminal, or none. */
export interface Paint {
  readonly added: (text: string) => string;
  readonly removed: (text: string) => string;
  readonly faint: (text: string) => string;
}

/** ECMA-48 SGR. */
const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;

/** Colours for a terminal, none elsewhere. */
export function paint(isTerminal: boolean): Paint {
  const plain = (text: string) => text;
  return isTerminal
    ? { added: sgr(32), removed: sgr(31), faint: sgr(2) }
    : { added: plain, removed: plain, faint: plain };
}

/** A text from a file, safe for a terminal, without secrets, on one line. */
export function shownText(text: string): string {
  return printable(redactor.redact(text));
}

/** What a plan changes, as text: the file, the lines that differ, notes and refusals. */
export function planText(plan: HostPlan, paints: Paint): string {
  const { found, file, changes, notes, refusals, same } = plan;
  const lines = [`${found.host.name}: ${shownText(found.file)}`];
  if (file.path !== found.file && file.exists) lines.push(`  (a link to ${shownText(file.path)})`);
  for (const name of same) lines.push(`  ${name} is installed already`);
  if (changes.length > 0) {
    const places = lineDiff(file.text, textAfter(plan));
    lines.push(
      ...places.flatMap((place, at) => [
        ...(at === 0 ? [] : [paints.faint('     …')]),
        ...place.map((line) => diffLine(line, paints)),
      ]),
    );
    lines.push(...notes.map((note) => `  Note: ${shownText(note)}`));
  }
  lines.push(...refusals.flatMap((refusal) => refusalLines(refusal, found.file)));
  return `${lines.join('\n')}\n`;
}

function diffLine({ kind, number, text }: DiffLine, { added, removed, faint }: Paint): string {
  const mark = { same: ' ', added: '+', removed: '-' }[kind];
  const characters = [...printable(redactor.redact(text).replaceAll('\t', '    '))];
  const most = MAX_COLUMNS[kind];
  const cut = characters.length > most ? `${characters.slice(0, most).join('')}…` : characters.join('');
  const line = `  ${mark} ${String(number).padStart(4)}  ${cut}`;
  return { same: faint, added, removed }[kind](line);
}

function refusalLines({ reason, line, column, snippet }: PlanRefusal, file: string): readonly string[] {
  const place = line === undefined ? '' : `:${line}:${column}`;
  return [
    `  Not changed: ${shownText(`${file}${place}`)} ${shownText(reason)}`,
    ...(snippet === undefined || snippet === ''
      ? []
      : [
          '  Paste this yourself:',
          ...redactor
            .redact(snippet)
            .trimEnd()
            .split(/\r?\n/)
            .map((each) => `    ${printable(each)}`),
        ]),
  ];
}

/** What makes a host notice the change. */
export function reloadText({ found }: Pick<HostPlan, 'found'>): string {
  return `${found.host.name}: ${found.host.reload}`;
}

/** The addresses of entries, without parts that may be a key. */
export function addressText(address: string | undefined): string {
  return address === undefined ? '' : printable(shownAddress(address));
}
