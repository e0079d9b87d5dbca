import { describe, expect, test } from 'vitest';
import { newFile } from '../../../../src/install/hosts/host.ts';
import { type HostId, hostIds, hostOf } from '../../../../src/install/hosts/hosts.ts';
import type { Place } from '../../../../src/install/hosts/place.ts';
import { printedHosts } from '../../../../src/install/hosts/printed-hosts.ts';

const linux: Place = { platform: 'linux', env: {}, home: '/home/ann' };
const mac: Place = { platform: 'darwin', env: {}, home: '/Users/ann' };
const windows: Place = {
  platform: 'win32',
  env: { APPDATA: 'C:\\Users\\ann\\AppData\\Roaming', LOCALAPPDATA: 'C:\\Users\\ann\\AppData\\Local' },
  home: 'C:\\Users\\ann',
};

/** The file that is written on a machine without any, on Linux, macOS and Windows. */
const FILES: Readonly<Record<HostId, readonly [linux: string, mac: string, windows: string]>> = {
  'claude-desktop': [
    '/home/ann/.config/Claude/claude_desktop_config.json',
    '/Users/ann/Library/Application Support/Claude/claude_desktop_config.json',
    'C:\\Users\\ann\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
  ],
  'claude-code': ['/home/ann/.claude.json', '/Users/ann/.claude.json', 'C:\\Users\\ann\\.claude.json'],
  cursor: ['/home/ann/.cursor/mcp.json', '/Users/ann/.cursor/mcp.json', 'C:\\Users\\ann\\.cursor\\mcp.json'],
  vscode: [
    '/home/ann/.config/Code/User/mcp.json',
    '/Users/ann/Library/Application Support/Code/User/mcp.json',
    'C:\\Users\\ann\\AppData\\Roaming\\Code\\User\\mcp.json',
  ],
  'vscode-insiders': [
    '/home/ann/.config/Code - Insiders/User/mcp.json',
    '/Users/ann/Library/Application Support/Code - Insiders/User/mcp.json',
    'C:\\Users\\ann\\AppData\\Roaming\\Code - Insiders\\User\\mcp.json',
  ],
  codex: [
    '/home/ann/.codex/config.toml',
    '/Users/ann/.codex/config.toml',
    'C:\\Users\\ann\\.codex\\config.toml',
  ],
  devin: [
    '/home/ann/.config/devin/mcp_config.json',
    '/Users/ann/.config/devin/mcp_config.json',
    'C:\\Users\\ann\\AppData\\Roaming\\devin\\mcp_config.json',
  ],
  zed: [
    '/home/ann/.config/zed/settings.json',
    '/Users/ann/.config/zed/settings.json',
    'C:\\Users\\ann\\AppData\\Roaming\\Zed\\settings.json',
  ],
  copilot: [
    '/home/ann/.copilot/mcp-config.json',
    '/Users/ann/.copilot/mcp-config.json',
    'C:\\Users\\ann\\.copilot\\mcp-config.json',
  ],
  cline: [
    '/home/ann/.cline/data/settings/cline_mcp_settings.json',
    '/Users/ann/.cline/data/settings/cline_mcp_settings.json',
    'C:\\Users\\ann\\.cline\\data\\settings\\cline_mcp_settings.json',
  ],
  opencode: [
    '/home/ann/.config/opencode/opencode.json',
    '/Users/ann/.config/opencode/opencode.json',
    'C:\\Users\\ann\\.config\\opencode\\opencode.json',
  ],
  kiro: [
    '/home/ann/.kiro/settings/mcp.json',
    '/Users/ann/.kiro/settings/mcp.json',
    'C:\\Users\\ann\\.kiro\\settings\\mcp.json',
  ],
  antigravity: [
    '/home/ann/.gemini/config/mcp_config.json',
    '/Users/ann/.gemini/config/mcp_config.json',
    'C:\\Users\\ann\\.gemini\\config\\mcp_config.json',
  ],
  junie: [
    '/home/ann/.junie/mcp/mcp.json',
    '/Users/ann/.junie/mcp/mcp.json',
    'C:\\Users\\ann\\.junie\\mcp\\mcp.json',
  ],
  'lm-studio': [
    '/home/ann/.lmstudio/mcp.json',
    '/Users/ann/.lmstudio/mcp.json',
    'C:\\Users\\ann\\.lmstudio\\mcp.json',
  ],
  amp: [
    '/home/ann/.config/amp/settings.json',
    '/Users/ann/.config/amp/settings.json',
    'C:\\Users\\ann\\AppData\\Roaming\\amp\\settings.json',
  ],
  warp: ['/home/ann/.warp/.mcp.json', '/Users/ann/.warp/.mcp.json', 'C:\\Users\\ann\\.warp\\.mcp.json'],
  'visual-studio': ['', '', 'C:\\Users\\ann\\.mcp.json'],
  gemini: [
    '/home/ann/.gemini/settings.json',
    '/Users/ann/.gemini/settings.json',
    'C:\\Users\\ann\\.gemini\\settings.json',
  ],
  qwen: [
    '/home/ann/.qwen/settings.json',
    '/Users/ann/.qwen/settings.json',
    'C:\\Users\\ann\\.qwen\\settings.json',
  ],
};

test.each(hostIds)('%s: the file to create on Linux, macOS and Windows', (id) => {
  const made = [linux, mac, windows].map((place) => newFile(hostOf(id).files(place)) ?? '');
  expect(made).toEqual(FILES[id]);
});

describe('variables and folders that take precedence', () => {
  test.each<[HostId, Place, string]>([
    ['claude-code', { ...linux, env: { CLAUDE_CONFIG_DIR: '/c' } }, '/c/.claude.json'],
    ['claude-desktop', { ...linux, env: { XDG_CONFIG_HOME: '/x' } }, '/x/Claude/claude_desktop_config.json'],
    [
      'claude-desktop',
      windows,
      'C:\\Users\\ann\\AppData\\Local\\Packages\\Claude_*\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json',
    ],
    ['vscode', { ...linux, env: { XDG_CONFIG_HOME: '/x' } }, '/x/Code/User/mcp.json'],
    [
      'vscode',
      { ...mac, env: { XDG_CONFIG_HOME: '/x' } },
      '/Users/ann/Library/Application Support/Code/User/mcp.json',
    ],
    ['codex', { ...mac, env: { CODEX_HOME: '/k' } }, '/k/config.toml'],
    ['codex', { ...windows, env: { CODEX_HOME: 'D:\\k' } }, 'D:\\k\\config.toml'],
    ['devin', linux, '/home/ann/.config/devin/mcp_config.json'],
    ['zed', { ...linux, env: { XDG_CONFIG_HOME: '/x' } }, '/x/zed/settings.json'],
    [
      'zed',
      { ...linux, env: { XDG_CONFIG_HOME: '/x', FLATPAK_XDG_CONFIG_HOME: '/f' } },
      '/f/zed/settings.json',
    ],
    ['zed', { ...mac, env: { XDG_CONFIG_HOME: '/x' } }, '/Users/ann/.config/zed/settings.json'],
    ['copilot', { ...linux, env: { COPILOT_HOME: '/p' } }, '/p/mcp-config.json'],
    ['cline', { ...linux, env: { CLINE_MCP_SETTINGS_PATH: '/s.json', CLINE_DIR: '/d' } }, '/s.json'],
    [
      'cline',
      { ...linux, env: { CLINE_DATA_DIR: '/e', CLINE_DIR: '/d' } },
      '/e/settings/cline_mcp_settings.json',
    ],
    ['cline', { ...linux, env: { CLINE_DIR: '/d' } }, '/d/data/settings/cline_mcp_settings.json'],
    ['opencode', { ...linux, env: { XDG_CONFIG_HOME: '/x' } }, '/x/opencode/opencode.jsonc'],
    ['amp', { ...linux, env: { XDG_CONFIG_HOME: '/x' } }, '/x/amp/settings.jsonc'],
    ['gemini', { ...linux, env: { GEMINI_CLI_HOME: '/g' } }, '/g/.gemini/settings.json'],
    ['qwen', { ...linux, env: { QWEN_HOME: '/q' } }, '/q/settings.json'],
    // A variable that is set to nothing counts as not set.
    ['codex', { ...linux, env: { CODEX_HOME: '' } }, '/home/ann/.codex/config.toml'],
    [
      'claude-desktop',
      { ...windows, env: {} },
      'C:\\Users\\ann\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
    ],
  ])('%s: %o → %s', (id, place, file) => {
    const files = hostOf(id).files(place);
    expect(files).toContain(file);
    expect(files.indexOf(file)).toBe(
      file.endsWith('Roaming\\Claude\\claude_desktop_config.json') && !file.includes('*') ? 1 : 0,
    );
  });

  test('a file of Devin Desktop has precedence over one of Windsurf, which is used if it alone exists', () => {
    expect(hostOf('devin').files(mac)).toEqual([
      '/Users/ann/.config/devin/mcp_config.json',
      '/Users/ann/.codeium/windsurf/mcp_config.json',
    ]);
  });
});

test('files for which the entry is printed, on Linux and Windows', () => {
  const { goose, crush, kilo } = printedHosts;
  expect(
    [goose, crush, kilo].map(({ where }) => where({ ...linux, env: { XDG_CONFIG_HOME: '/x' } })),
  ).toEqual(['/x/goose/config.yaml', '/x/crush/crushrc', '/x/kilo/kilo.json']);
  expect(goose.where(windows)).toBe('C:\\Users\\ann\\AppData\\Roaming\\Block\\goose\\config\\config.yaml');
});
