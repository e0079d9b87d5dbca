/** What a host is configured with. */
export interface HostWorld {
  /** The home folder of the person. */
  readonly home: string;
  /** The origin of the model, such as `http://127.0.0.1:1234`. */
  readonly model: string;
  /** The command of the MCP server, absolute, and its arguments. */
  readonly command: string;
  readonly args: readonly string[];
  readonly prompt: string;
}

export interface HostSettings {
  /** Path below the home folder → text. */
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

/** A real host: its package, how it is started for one prompt without a terminal, and what is known of it. */
export interface HostProfile {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  /** Below `node_modules`; a script is run by this Node. PLATFORM stands for such as `linux-x64`. */
  readonly program: string;
  /** The API base is the model's, nothing else is reached, every tool is allowed. The server's name is `world`. */
  readonly configure: (world: HostWorld) => HostSettings;
  /** With what a model passes time until a tool is offered, since the host ends with the model's turn: a shell, as a rule. */
  readonly pause: { readonly tool: string; readonly input: (command: string) => object };
  /** A tool of the host that waits until MCP servers are ready; offered while one is not. */
  readonly waitsForServers?: string;
  /** It keeps the tools that it got first: nobody is served who signs in after it has stopped waiting. */
  readonly ignoresListChanged?: true;
}

const KEY = 'not-a-key';
const MODEL = 'stand-in';

const json = (value: object) => JSON.stringify(value, null, 2);
const stdio = ({ command, args }: HostWorld) => ({ command, args });

/** Every version is pinned; to move to another, change it here and run `npm run test:hosts -- --host NAME`. */
export const PROFILES: readonly HostProfile[] = [
  {
    name: 'claude',
    package: '@anthropic-ai/claude-code',
    version: '2.1.197',
    program: '@anthropic-ai/claude-code-PLATFORM/claude',
    configure: (world) => ({
      files: { 'mcp.json': json({ mcpServers: { world: { type: 'stdio', ...stdio(world) } } }) },
      env: {
        ANTHROPIC_BASE_URL: world.model,
        ANTHROPIC_API_KEY: KEY,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
      },
      args: [
        ...['-p', world.prompt, '--mcp-config', `${world.home}/mcp.json`, '--strict-mcp-config'],
        ...['--allowedTools', 'mcp__world', 'Bash'],
      ],
    }),
    pause: { tool: 'Bash', input: (command) => ({ command, description: 'waits' }) },
    waitsForServers: 'WaitForMcpServers',
  },
  {
    name: 'codex',
    package: '@openai/codex',
    version: '0.169.0',
    program: '@openai/codex/bin/codex.js',
    configure: (world) => ({
      files: {
        '.codex/config.toml': [
          `model = "${MODEL}"`,
          'model_provider = "loopback"',
          'check_for_update_on_startup = false',
          '[model_providers.loopback]',
          'name = "loopback"',
          `base_url = "${world.model}/v1"`,
          'wire_api = "responses"',
          'env_key = "OPENAI_API_KEY"',
          '[analytics]',
          'enabled = false',
          '[mcp_servers.world]',
          `command = ${JSON.stringify(world.command)}`,
          `args = ${JSON.stringify(world.args)}`,
          '',
        ].join('\n'),
      },
      env: { OPENAI_API_KEY: KEY },
      args: [
        ...['exec', '--json', '--skip-git-repo-check'],
        ...['--dangerously-bypass-approvals-and-sandbox', world.prompt],
      ],
    }),
    pause: { tool: 'exec_command', input: (cmd) => ({ cmd }) },
    ignoresListChanged: true,
  },
  {
    name: 'opencode',
    package: 'opencode-ai',
    version: '1.18.33',
    program: 'opencode-PLATFORM/bin/opencode',
    configure: (world) => ({
      files: {
        '.config/opencode/opencode.json': json({
          autoupdate: false,
          share: 'disabled',
          model: `loopback/${MODEL}`,
          provider: {
            loopback: {
              npm: '@ai-sdk/openai-compatible',
              options: { baseURL: `${world.model}/v1`, apiKey: KEY },
              models: { [MODEL]: { tool_call: true, limit: { context: 100_000, output: 10_000 } } },
            },
          },
          mcp: { world: { type: 'local', command: [world.command, ...world.args] } },
        }),
      },
      env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' },
      args: ['run', '--print-logs', '--format', 'json', '--auto', world.prompt],
    }),
    pause: { tool: 'bash', input: (command) => ({ command, description: 'waits' }) },
  },
  {
    name: 'qwen',
    package: '@qwen-code/qwen-code',
    version: '0.15.10',
    program: '@qwen-code/qwen-code/cli.js',
    configure: (world) => ({
      files: {
        '.qwen/settings.json': json({
          general: { enableAutoUpdate: false },
          privacy: { usageStatisticsEnabled: false },
          telemetry: { enabled: false },
          security: { auth: { selectedType: 'openai' } },
          mcpServers: { world: { ...stdio(world), trust: true } },
        }),
      },
      env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${world.model}/v1`, OPENAI_MODEL: MODEL },
      args: ['--approval-mode', 'yolo', '-p', world.prompt],
    }),
    pause: { tool: 'run_shell_command', input: (command) => ({ command, is_background: false }) },
    ignoresListChanged: true,
  },
  {
    name: 'gemini',
    package: '@google/gemini-cli',
    version: '0.61.0',
    program: '@google/gemini-cli/bundle/gemini.js',
    configure: (world) => ({
      files: {
        '.gemini/settings.json': json({
          general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
          privacy: { usageStatisticsEnabled: false },
          telemetry: { enabled: false },
          security: { auth: { selectedType: 'gemini-api-key' } },
          mcpServers: { world: { ...stdio(world), trust: true } },
        }),
      },
      env: { GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: world.model },
      args: ['--skip-trust', '--approval-mode', 'yolo', '-m', 'gemini-2.5-pro', '-p', world.prompt],
    }),
    pause: { tool: 'run_shell_command', input: (command) => ({ command }) },
  },
  {
    name: 'copilot',
    package: '@github/copilot',
    version: '1.0.102',
    program: '@github/copilot-PLATFORM/copilot',
    configure: (world) => ({
      files: {
        '.copilot/mcp-config.json': json({
          mcpServers: { world: { type: 'local', ...stdio(world), tools: ['*'] } },
        }),
      },
      env: {
        COPILOT_PROVIDER_BASE_URL: `${world.model}/v1`,
        COPILOT_PROVIDER_API_KEY: KEY,
        COPILOT_MODEL: MODEL,
        COPILOT_OFFLINE: 'true',
        COPILOT_AUTO_UPDATE: 'false',
      },
      args: ['-p', world.prompt, '--allow-all-tools', '--disable-client-telemetry'],
    }),
    pause: { tool: 'bash', input: (command) => ({ command, description: 'waits', mode: 'sync' }) },
  },
  {
    name: 'cline',
    package: 'cline',
    version: '3.0.65',
    program: '@cline/cli-PLATFORM/bin/cline',
    configure: (world) => ({
      files: {
        '.cline/data/settings/cline_mcp_settings.json': json({ mcpServers: { world: stdio(world) } }),
        '.cline/data/settings/providers.json': json({
          version: 1,
          lastUsedProvider: 'openai-compatible',
          modes: {},
          providers: {
            'openai-compatible': {
              settings: {
                provider: 'openai-compatible',
                apiKey: KEY,
                model: MODEL,
                baseUrl: `${world.model}/v1`,
              },
              updatedAt: new Date().toISOString(),
              tokenSource: 'manual',
            },
          },
        }),
      },
      env: { CLINE_TELEMETRY_DISABLED: '1', CLINE_NO_AUTO_UPDATE: '1' },
      args: ['--json', '--auto-approve', 'true', world.prompt],
    }),
    pause: { tool: 'run_commands', input: (command) => ({ commands: [command] }) },
    ignoresListChanged: true,
  },
  {
    name: 'continue',
    package: '@continuedev/cli',
    version: '1.5.47',
    program: '@continuedev/cli/dist/cn.js',
    configure: (world) => ({
      files: {
        // YAML that is JSON too.
        '.continue/config.yaml': json({
          name: 'hosts',
          version: '0.0.1',
          schema: 'v1',
          models: [
            {
              name: MODEL,
              provider: 'openai',
              model: MODEL,
              apiBase: `${world.model}/v1`,
              apiKey: KEY,
              roles: ['chat'],
              capabilities: ['tool_use'],
            },
          ],
          mcpServers: [{ name: 'world', type: 'stdio', ...stdio(world) }],
        }),
      },
      env: { CONTINUE_CLI_ENABLE_TELEMETRY: '0', CONTINUE_CLI_AUTO_UPDATED: '1' },
      args: ['--config', `${world.home}/.continue/config.yaml`, '--auto', '-p', world.prompt],
    }),
    pause: { tool: 'Bash', input: (command) => ({ command }) },
    ignoresListChanged: true,
  },
];
