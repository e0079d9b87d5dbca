/** A command as it can be copied into a terminal: what its arguments mean does not depend on what the shell makes of their characters. */
export function shellCommand(words: readonly string[], platform: NodeJS.Platform): string {
  if (platform !== 'win32') return words.map(posixWord).join(' ');
  const cmd = words.map(cmdWord).join(' ');
  const powerShell = words.map(powerShellWord).join(' ');
  // Nobody can tell which of the two somebody will open.
  return cmd === powerShell ? cmd : `${cmd} (in PowerShell: ${powerShell})`;
}

/** POSIX.1 Shell Command Language, 2.2.2: nothing between single quotes means anything, and no quote can stand there. */
export function posixWord(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Read by cmd and by PowerShell as it stands; a comma makes a list in PowerShell, and so does `@`. */
const PLAIN_ON_WINDOWS = /^([\w/\\][\w./:\\-]*|\.[\w./\\-]*|--[a-z-]+|-[a-z])$/i;

/**
 * cmd takes variables between `%` inside quotes too; `^` keeps one from it, but only outside. It passes on the quotes, which each
 * program reads by itself: as the C runtime does it, two are one inside quotes, and backslashes before a quote count half.
 */
export function cmdWord(word: string): string {
  if (PLAIN_ON_WINDOWS.test(word)) return word;
  return `"${word.replace(/(\\*)(["%]|$)/g, (_, backslashes: string, mark: keyof typeof CMD_MARKS) => {
    return backslashes + backslashes + CMD_MARKS[mark];
  })}"`;
}

const CMD_MARKS = { '"': '""', '%': '"^%"', '': '' };

/**
 * PowerShell, about_Quoting_Rules: nothing between single quotes means anything, and two of them are one. Typographic quotes count as
 * quotes. Without any of that double quotes say the same, as in cmd.
 */
export function powerShellWord(word: string): string {
  if (PLAIN_ON_WINDOWS.test(word)) return word;
  if (!/["$`%\u201c-\u201e]|\\$/.test(word)) return `"${word}"`;
  return `'${word.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
}
