/** A command that can be copied into a terminal, with every argument quoted so that the shell does not interpret it. */
export function shellCommand(words: readonly string[], platform: NodeJS.Platform): string {
  if (platform !== 'win32') return words.map(posixWord).join(' ');
  const cmd = words.map(cmdWord).join(' ');
  const quoted = words.map(powerShellWord);
  // about_Operators, call operator: a program's name in quotes would only be printed.
  const call = /^["']/.test(quoted[0] ?? '') ? '& ' : '';
  const powerShell = `${call}${quoted.join(' ')}`;
  // We cannot know which of the two shells the user will open.
  return cmd === powerShell ? cmd : `${cmd} (in PowerShell: ${powerShell})`;
}

/** POSIX.1 Shell Command Language, 2.2.2: single quotes make every character literal, and cannot contain a single quote. */
export function posixWord(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Words that cmd and PowerShell take literally. Not `,` and `@`, with which PowerShell makes lists. */
const PLAIN_ON_WINDOWS = /^([\w/\\][\w./:\\-]*|\.[\w./\\-]*|--[a-z-]+|-[a-z])$/i;

/**
 * cmd expands variables between `%` inside quotes too; `^` prevents that, but only outside of quotes. cmd passes the quotes on to the program, which
 * parses them itself. With the C runtime, two quotes inside quotes are one, and backslashes before a quote count half.
 */
export function cmdWord(word: string): string {
  if (PLAIN_ON_WINDOWS.test(word)) return word;
  return `"${word.replace(/(\\*)(["%]|$)/g, (_, backslashes: string, mark: keyof typeof CMD_MARKS) => {
    return backslashes + backslashes + CMD_MARKS[mark];
  })}"`;
}

const CMD_MARKS = { '"': '""', '%': '"^%"', '': '' };

/**
 * PowerShell, about_Quoting_Rules: single quotes make every character literal, and two of them inside are one. Typographic quotes count as quotes. A
 * word without special characters can be in double quotes, as in cmd.
 */
export function powerShellWord(word: string): string {
  if (PLAIN_ON_WINDOWS.test(word)) return word;
  if (!/["$`%\u201c-\u201e]|\\$/.test(word)) return `"${word}"`;
  return `'${word.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
}
