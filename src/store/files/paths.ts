import { join, resolve } from 'node:path';
import envPaths from 'env-paths';

export interface StorePaths {
  readonly home: string;
  readonly credentials: string;
  readonly servers: string;
  readonly logs: string;
}

/** `home` is MCP_DRAWBRIDGE_HOME; without it the platform's own place for an application's data. Nothing is created here. */
export function storePaths(home: string | undefined): StorePaths {
  const root = home ? resolve(home) : envPaths('mcp-drawbridge', { suffix: '' }).data;
  return {
    home: root,
    credentials: join(root, 'credentials'),
    servers: join(root, 'servers'),
    logs: join(root, 'logs'),
  };
}
