/** What a person can check where a name cannot be looked up, by the system's error code. */
export const NAME_HINTS: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'Check the spelling of the address. If it is a name inside a network, connect to its VPN.'],
  ['ENODATA', 'Check the spelling of the address. If it is a name inside a network, connect to its VPN.'],
  ['EAI_AGAIN', 'No name server answers: check the network of this machine.'],
]);

/** What a person can check where a server cannot be connected to, by the system's error code. */
export const CONNECTION_HINTS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'Check that the server runs, and that the port in the address is right.'],
  ['ENETUNREACH', 'This machine has no route there: check its network.'],
  ['EHOSTUNREACH', 'This machine has no route there: check its network, or connect to the VPN.'],
]);
