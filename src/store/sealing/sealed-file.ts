/*
 * The file of a sealed record, of a sealed response and of a sealed record that was set aside:
 *
 *   {"version":2,"keyId":"8 hex digits","sealed":"the envelope, as base64"}
 *
 * It holds the bytes that the file would have if it were not sealed. Programs that know no sealing read a number that is larger than theirs, and
 * leave such a file alone.
 */
const BEGIN = Buffer.from('{"version":2,"keyId":"');
const FILE = /^\{"version":2,"keyId":"([0-9a-f]{8})","sealed":"([A-Za-z0-9+/]+={0,2})"\}\s*$/;

/** The contents of a sealed file. */
export interface SealedFile {
  readonly keyId: string;
  readonly envelope: Uint8Array;
}

/** Undefined: the file is not sealed. */
export function parseSealedFile(bytes: Uint8Array): SealedFile | undefined {
  if (!BEGIN.equals(bytes.subarray(0, BEGIN.length))) return undefined;
  const [, keyId, sealed] = FILE.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (keyId === undefined || sealed === undefined) return undefined;
  return { keyId, envelope: Buffer.from(sealed, 'base64') };
}

export function formatSealedFile({ keyId, envelope }: SealedFile): Buffer {
  const sealed = Buffer.from(envelope).toString('base64');
  return Buffer.from(`{"version":2,"keyId":"${keyId}","sealed":"${sealed}"}\n`);
}

/** The data authenticated with the record of this key: its name, and the version of the file. The same for all files that may become that record. */
export function sealedName(key: string): string {
  return `mcp-drawbridge record 2 ${key}`;
}
