import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** One certificate with its key, in PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly name?: string;
  /** Names and addresses that the certificate is for. */
  readonly hosts?: readonly string[];
  readonly notAfter?: Date;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** A certificate authority that lives as long as the test. */
export class LocalAuthority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #root: X509Certificate;
  #serial = 1;

  constructor(keys: webcrypto.CryptoKeyPair, root: X509Certificate) {
    this.#keys = keys;
    this.#root = root;
  }

  get pem(): string {
    return this.#root.toString('pem');
  }

  async issue(options: IssueOptions = {}): Promise<Identity> {
    const {
      name = 'peer',
      hosts = ['localhost', '127.0.0.1'],
      notAfter = new Date(Date.now() + DAY_MS),
    } = options;
    const keys = await newKeys();
    const names = hosts.map((value) => ({
      type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const),
      value,
    }));
    const certificate = await X509CertificateGenerator.create(
      {
        serialNumber: (++this.#serial).toString(16).padStart(2, '0'),
        subject: `CN=${name}`,
        issuer: this.#root.subject,
        notBefore: new Date(Date.now() - 30 * DAY_MS),
        notAfter,
        publicKey: keys.publicKey as never,
        signingKey: this.#keys.privateKey as never,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new SubjectAlternativeNameExtension(names),
          new ExtendedKeyUsageExtension([SERVER_AUTH, CLIENT_AUTH]),
        ],
      },
      webcrypto as never,
    );
    return { cert: certificate.toString('pem'), key: await privatePem(keys) };
  }
}

export async function createAuthority(name: string): Promise<LocalAuthority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - 60 * DAY_MS),
      notAfter: new Date(Date.now() + 60 * DAY_MS),
      keys: keys as never,
      signingAlgorithm: ALGORITHM,
      extensions: [new BasicConstraintsExtension(true, 1, true)],
    },
    webcrypto as never,
  );
  return new LocalAuthority(keys, root);
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, [
    'sign',
    'verify',
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

async function privatePem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey as never)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
