import { withoutUndefined } from '../platform/without-undefined.ts';

/** The contents of a bundle besides the program. */
export interface BundleSettings {
  /** The name that the host shows. */
  readonly name: string;
  /** The fixed address; without it, the host asks for one when the bundle is installed. */
  readonly url?: string | undefined;
  /** Variables of the program's environment that are fixed, such as `MCP_DRAWBRIDGE_SCOPE`, without `${`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether `icon.png` is in the bundle. */
  readonly hasIcon: boolean;
}

/** The manifest's path of the program's first file. */
const ENTRY = 'dist/launch.cjs';

/** The fields of a generic bundle, by the variable that each sets. A host passes an empty field as an empty string, which counts as absent. */
const FIELDS = {
  url: {
    variable: 'MCP_DRAWBRIDGE_URL',
    field: {
      type: 'string',
      title: 'Address of the MCP server',
      description: 'For example https://example.com/mcp',
      required: true,
    },
  },
  profile: {
    variable: 'MCP_DRAWBRIDGE_PROFILE',
    field: {
      type: 'string',
      title: 'Profile',
      description: 'A name for this login, if you use several accounts of the same server',
      required: false,
    },
  },
  client_id: {
    variable: 'MCP_DRAWBRIDGE_CLIENT_ID',
    field: {
      type: 'string',
      title: 'OAuth client ID',
      description: 'Only for servers that do not let programs register themselves',
      required: false,
    },
  },
  header: {
    variable: 'MCP_DRAWBRIDGE_HEADER',
    field: {
      type: 'string',
      title: 'Header',
      description: "Sent to the server with every request, such as 'X-Api-Key: …'",
      required: false,
      sensitive: true,
    },
  },
  ca: {
    variable: 'MCP_DRAWBRIDGE_CA',
    field: {
      type: 'file',
      title: 'Certificates',
      description: 'A PEM file with certificates to trust, for servers inside a company',
      required: false,
    },
  },
} as const;

/** The manifest of the bundle, version 0.3 of the MCPB format (github.com/modelcontextprotocol/mcpb, MANIFEST.md). */
export function bundleManifest(settings: BundleSettings, version: string): object {
  const { name, url, environment, hasIcon } = settings;
  const asked = url === undefined;
  return withoutUndefined({
    manifest_version: '0.3',
    name: slug(name),
    display_name: name,
    version,
    description: asked
      ? 'Reaches any remote MCP server, and signs in where the server asks for it.'
      : `Reaches ${new URL(url).host}, and signs in where the server asks for it.`,
    author: { name: 'mcp-drawbridge', url: 'https://github.com/mcp-drawbridge/mcp-drawbridge' },
    homepage: 'https://github.com/mcp-drawbridge/mcp-drawbridge#readme',
    license: 'MIT',
    icon: hasIcon ? 'icon.png' : undefined,
    server: {
      type: 'node',
      entry_point: ENTRY,
      mcp_config: {
        command: 'node',
        args: [`\${__dirname}/${ENTRY}`],
        env: {
          // Hosts replace `${…}` in a manifest, and it cannot be escaped; an address can be written without it (RFC 3986 §2.1).
          ...(asked ? fieldVariables() : { MCP_DRAWBRIDGE_URL: url.replaceAll('${', '%24{') }),
          ...environment,
        },
      },
    },
    tools_generated: true,
    prompts_generated: true,
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: '>=20.18.1' } },
    user_config: asked
      ? Object.fromEntries(Object.entries(FIELDS).map(([key, { field }]) => [key, field]))
      : undefined,
  });
}

function fieldVariables(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(FIELDS).map(([key, { variable }]) => [variable, `\${user_config.${key}}`]),
  );
}

/** The name in the form that hosts use for folders and keys. */
export function slug(name: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join('-') || 'mcp-server';
}
