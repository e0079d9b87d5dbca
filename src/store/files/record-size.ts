/** A record with room to spare for three large JWTs; a larger file is not ours (.github/SECURITY.md, attack 38). */
export const MAX_RECORD_BYTES = 256 * 1024;
