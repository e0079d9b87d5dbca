/** Hosts by what they pass on to the programs that they start. `sdk`: hosts that leave it to the TypeScript SDK. */
export type HostProfile = 'codex' | 'sdk' | 'gemini';

const PASSED_ON: Readonly<Record<HostProfile, (name: string) => boolean>> = {
  codex: (name) => /^(HOME|LANG|LOGNAME|PATH|SHELL|TERM|TMPDIR|USER)$/.test(name),
  sdk: (name) => /^(HOME|LOGNAME|PATH|SHELL|TERM|USER)$/.test(name),
  gemini: (name) => !/TOKEN|SECRET|PASSWORD|PASSWD|KEY|AUTH|CREDENTIAL|CREDS|PRIVATE|CERT/i.test(name),
};

/** What such a host passes on of this environment. */
export function passedOn(host: HostProfile, whole: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => PASSED_ON[host](name)));
}
