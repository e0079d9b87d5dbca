import { randomBytes } from 'node:crypto';
import { withBrowsers } from './earlier-browsers.ts';
import type { Leases } from './lease.ts';
import type { SignInStatus } from './sign-in-status.ts';

/** Leases for when nothing can be written: one process, whose sign-ins live and end with it. */
export function memoryLeases(): Leases {
  const nonces = new Map<string, string>();
  const statuses = new Map<string, SignInStatus>();
  return {
    create: async (key) => {
      const holder = nonces.get(key);
      if (holder !== undefined) return { kind: 'held', nonce: holder, status: statuses.get(key) };
      const nonce = randomBytes(32).toString('base64url');
      nonces.set(key, nonce);
      return { kind: 'created', nonce };
    },
    adopt: async (key, nonce) => nonces.get(key) === nonce,
    heartbeat: async (key, nonce) => nonces.get(key) === nonce,
    release: async (key, nonce) => {
      if (nonces.get(key) === nonce) nonces.delete(key);
    },
    holder: async (key) => nonces.get(key),
    readStatus: async (key) => statuses.get(key),
    writeStatus: async (key, status) => {
      statuses.set(key, withBrowsers(status, statuses.get(key)));
    },
  };
}
