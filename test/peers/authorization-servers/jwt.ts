/** Something in the form of a JWT that nobody verifies, told apart by its name. */
export function jwtNamed(name: string): string {
  return `${Buffer.from('{}').toString('base64url')}.${name}.c2ln`;
}
