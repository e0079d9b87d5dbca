import type { Entry, Host } from './host.ts';
import {
  inAppData,
  inElectronData,
  inHome,
  inLocalAppData,
  inVariable,
  inXdgConfig,
  type Place,
} from './place.ts';
import {
  amp,
  cline,
  codex,
  copilot,
  mcpServers,
  openCodeV1,
  openCodeV2,
  plain,
  typedMcpServers,
  typedServers,
  zed,
} from './shapes.ts';

/** The folder of VS Code or of one of its builds, with its file for MCP servers. */
const codeUser = (product: string) => (place: Place) => [inElectronData(place, product, 'User', 'mcp.json')];

/** Base64 of the entry, for the links of Cursor and LM Studio. */
const coded = (entry: Entry) =>
  encodeURIComponent(Buffer.from(JSON.stringify(plain(entry))).toString('base64'));

const codeLink = (scheme: string) => (name: string, entry: Entry) =>
  `${scheme}:mcp/install?${encodeURIComponent(JSON.stringify({ name, type: 'stdio', ...plain(entry) }))}`;

const RESTART = 'quit it and start it again';
const NEXT_START = 'takes effect at its next start';

/**
 * The hosts whose files are edited, by the id for `--host`. To add one: an entry here, and a file of its kind in `test/peers/host-files/`. If a path or a
 * default of a host differs from its documentation, its source was followed.
 */
export const hosts = {
  'claude-desktop': {
    name: 'Claude Desktop',
    files: (place) => [
      // Installed from the Microsoft Store or as MSIX, it sees its own copy of %APPDATA%.
      ...(place.platform === 'win32'
        ? [
            inLocalAppData(
              place,
              'Packages',
              'Claude_*',
              'LocalCache',
              'Roaming',
              'Claude',
              'claude_desktop_config.json',
            ),
          ]
        : []),
      inElectronData(place, 'Claude', 'claude_desktop_config.json'),
    ],
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: 'quit it completely (also from the tray) and start it again',
    direct: false,
  },
  'claude-code': {
    name: 'Claude Code',
    files: (place) => [inVariable(place, 'CLAUDE_CONFIG_DIR', place.home, '.claude.json')],
    projectFiles: [['.mcp.json']],
    signs: (place) => [inVariable(place, 'CLAUDE_CONFIG_DIR', inHome(place, '.claude'))],
    program: 'claude',
    format: 'json',
    dialects: [typedMcpServers],
    passes: 'all',
    reload: NEXT_START,
    direct: true,
    // The file also contains the state of every session and is rewritten all the time.
    commands: {
      add: (name, json) => ['mcp', 'add-json', '--scope', 'user', name, json],
      remove: (name) => ['mcp', 'remove', '--scope', 'user', name],
    },
    startsBatchFiles: true,
  },
  cursor: {
    name: 'Cursor',
    files: (place) => [inHome(place, '.cursor', 'mcp.json')],
    projectFiles: [['.cursor', 'mcp.json']],
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: 'is read at once; a new server has to be switched on in Settings → MCP',
    direct: true,
    startsBatchFiles: true,
    link: (name, entry) =>
      `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(name)}&config=${coded(entry)}`,
  },
  vscode: {
    name: 'VS Code',
    files: codeUser('Code'),
    projectFiles: [['.vscode', 'mcp.json']],
    signs: (place) => [inElectronData(place, 'Code')],
    program: 'code',
    format: 'json',
    dialects: [typedServers],
    passes: 'desktop',
    reload: 'is read at once; it asks whether to trust a new server',
    direct: true,
    startsBatchFiles: true,
    link: codeLink('vscode'),
  },
  'vscode-insiders': {
    name: 'VS Code Insiders',
    files: codeUser('Code - Insiders'),
    projectFiles: [['.vscode', 'mcp.json']],
    signs: (place) => [inElectronData(place, 'Code - Insiders')],
    program: 'code-insiders',
    format: 'json',
    dialects: [typedServers],
    passes: 'desktop',
    reload: 'is read at once; it asks whether to trust a new server',
    direct: true,
    startsBatchFiles: true,
    link: codeLink('vscode-insiders'),
  },
  codex: {
    name: 'Codex',
    files: (place) => [inVariable(place, 'CODEX_HOME', inHome(place, '.codex'), 'config.toml')],
    projectFiles: [['.codex', 'config.toml']],
    program: 'codex',
    format: 'toml',
    dialects: [codex],
    passes: 'listed',
    reload: NEXT_START,
    direct: true,
  },
  devin: {
    name: 'Devin Desktop (Windsurf)',
    files: (place) => [
      place.platform === 'win32'
        ? inAppData(place, 'devin', 'mcp_config.json')
        : inHome(place, '.config', 'devin', 'mcp_config.json'),
      inHome(place, '.codeium', 'windsurf', 'mcp_config.json'),
    ],
    projectFiles: [['.devin', 'mcp_config.json']],
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: RESTART,
    direct: true,
  },
  zed: {
    name: 'Zed',
    files: (place) => {
      if (place.platform === 'win32') return [inAppData(place, 'Zed', 'settings.json')];
      if (place.platform === 'darwin') return [inHome(place, '.config', 'zed', 'settings.json')];
      const config = place.env.FLATPAK_XDG_CONFIG_HOME || place.env.XDG_CONFIG_HOME;
      return [inXdgConfig({ ...place, env: { XDG_CONFIG_HOME: config } }, 'zed', 'settings.json')];
    },
    projectFiles: [['.zed', 'settings.json']],
    format: 'json',
    dialects: [zed],
    passes: 'desktop',
    reload: 'is read at once',
    direct: true,
  },

  copilot: {
    name: 'Copilot CLI',
    files: (place) => [inVariable(place, 'COPILOT_HOME', inHome(place, '.copilot'), 'mcp-config.json')],
    program: 'copilot',
    format: 'json',
    dialects: [copilot],
    passes: 'all',
    reload: NEXT_START,
    direct: true,
  },
  cline: {
    name: 'Cline',
    files: (place) => {
      const { CLINE_MCP_SETTINGS_PATH: whole, CLINE_DATA_DIR: data } = place.env;
      if (whole) return [whole];
      const settings = ['settings', 'cline_mcp_settings.json'];
      if (data) return [inVariable(place, 'CLINE_DATA_DIR', data, ...settings)];
      return [inVariable(place, 'CLINE_DIR', inHome(place, '.cline'), 'data', ...settings)];
    },
    signs: (place) => [inVariable(place, 'CLINE_DIR', inHome(place, '.cline'))],
    program: 'cline',
    format: 'json',
    dialects: [cline],
    passes: 'desktop',
    reload: 'is read at once',
    direct: true,
    lockStaleMs: 10_000,
  },
  opencode: {
    name: 'opencode',
    files: (place) =>
      ['opencode.jsonc', 'opencode.json', 'config.json'].map((file) => inXdgConfig(place, 'opencode', file)),
    projectFiles: [
      ['opencode.jsonc'],
      ['opencode.json'],
      ['.opencode', 'opencode.jsonc'],
      ['.opencode', 'opencode.json'],
    ],
    program: 'opencode',
    format: 'json',
    dialects: [openCodeV2, openCodeV1],
    passes: 'all',
    reload: NEXT_START,
    direct: true,
  },
  kiro: {
    name: 'Kiro',
    files: (place) => [inHome(place, '.kiro', 'settings', 'mcp.json')],
    projectFiles: [['.kiro', 'settings', 'mcp.json']],
    signs: (place) => [inHome(place, '.kiro')],
    program: 'kiro-cli',
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: 'is read at once; Kiro CLI reads it at its next start',
    direct: true,
  },
  antigravity: {
    name: 'Antigravity',
    files: (place) => [inHome(place, '.gemini', 'config', 'mcp_config.json')],
    projectFiles: [['.agents', 'mcp_config.json']],
    program: 'agy',
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: 'press Refresh in its list of MCP servers, or start it again',
    direct: true,
  },
  junie: {
    name: 'Junie',
    files: (place) => [inHome(place, '.junie', 'mcp', 'mcp.json')],
    projectFiles: [['.junie', 'mcp', 'mcp.json']],
    signs: (place) => [inHome(place, '.junie')],
    program: 'junie',
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: NEXT_START,
    direct: false,
  },
  'lm-studio': {
    name: 'LM Studio',
    files: (place) => [
      inHome(place, '.lmstudio', 'mcp.json'),
      inHome(place, '.cache', 'lm-studio', 'mcp.json'),
    ],
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: 'is read at once',
    direct: true,
    link: (name, entry) => `lmstudio://add_mcp?name=${encodeURIComponent(name)}&config=${coded(entry)}`,
  },
  amp: {
    name: 'Amp',
    files: (place) =>
      ['settings.jsonc', 'settings.json'].map((file) =>
        place.platform === 'win32' ? inAppData(place, 'amp', file) : inXdgConfig(place, 'amp', file),
      ),
    projectFiles: [
      ['.amp', 'settings.jsonc'],
      ['.amp', 'settings.json'],
    ],
    program: 'amp',
    format: 'json',
    dialects: [amp],
    passes: 'desktop',
    reload: NEXT_START,
    direct: true,
  },
  warp: {
    name: 'Warp',
    files: (place) => [inHome(place, '.warp', '.mcp.json')],
    projectFiles: [['.warp', '.mcp.json']],
    format: 'json',
    dialects: [mcpServers],
    passes: 'desktop',
    reload: 'is read at once; a new server is started in Settings → MCP servers',
    direct: true,
  },
  'visual-studio': {
    name: 'Visual Studio',
    files: (place) => (place.platform === 'win32' ? [inHome(place, '.mcp.json')] : []),
    projectFiles: [['.mcp.json']],
    signs: (place) =>
      place.platform === 'win32' ? [inLocalAppData(place, 'Microsoft', 'VisualStudio')] : [],
    format: 'json',
    dialects: [typedServers],
    passes: 'desktop',
    reload: 'is read at once; the tools of a new server are chosen in the chat',
    direct: true,
  },
  gemini: {
    name: 'Gemini CLI',
    files: (place) => [inVariable(place, 'GEMINI_CLI_HOME', place.home, '.gemini', 'settings.json')],
    projectFiles: [['.gemini', 'settings.json']],
    signs: () => [],
    program: 'gemini',
    format: 'json',
    dialects: [mcpServers],
    passes: 'unsuspicious',
    reload: NEXT_START,
    direct: true,
  },
  qwen: {
    name: 'Qwen Code',
    files: (place) => [inVariable(place, 'QWEN_HOME', inHome(place, '.qwen'), 'settings.json')],
    projectFiles: [['.qwen', 'settings.json']],
    program: 'qwen',
    format: 'json',
    dialects: [mcpServers],
    passes: 'all',
    reload: NEXT_START,
    direct: true,
  },
} satisfies Record<string, Host>;

/** The id of a host whose file is edited. */
export type HostId = keyof typeof hosts;

/** Every id, in the order in which they are shown. */
export const hostIds = Object.keys(hosts) as readonly HostId[];

/** The host with this id. */
export function hostOf(id: HostId): Host {
  return hosts[id];
}
