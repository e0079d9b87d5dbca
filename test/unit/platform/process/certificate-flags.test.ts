import { describe, expect, test } from 'vitest';
import { certificateFlags, certificateOptions } from '../../../../src/platform/process/certificate-flags.ts';

describe('Node flags passed to a sign-in process', () => {
  test.each([
    ['--use-openssl-ca'],
    ['--use-bundled-ca'],
    ['--use-system-ca'],
    ['--no-use-system-ca'],
    ['--tls-min-v1.0'],
    ['--tls-min-v1.3'],
    ['--tls-max-v1.2'],
    ['--tls-cipher-list=DEFAULT@SECLEVEL=0'],
    ['--tls-cipher-list=ECDHE-RSA-AES128-GCM-SHA256:!RC4:+HIGH:-MD5'],
  ])('%s', (flag) => {
    expect(certificateFlags([flag])).toEqual([flag]);
    expect(certificateOptions(flag)).toBe(flag);
  });

  test('includes other spellings', () => {
    expect(certificateFlags(['--use_openssl_ca', '--tls_cipher_list', 'HIGH:!aNULL'])).toEqual([
      '--use-openssl-ca',
      '--tls-cipher-list=HIGH:!aNULL',
    ]);
    expect(certificateOptions('  "--use-openssl-ca"   --tls-cipher-list="HIGH:\\!aNULL" ')).toBe(
      '--use-openssl-ca --tls-cipher-list=HIGH:!aNULL',
    );
  });

  test('includes no others', () => {
    const others = [
      '--require',
      '/x.js',
      '-r',
      '/x.js',
      '--import=/x.js',
      '--loader=/x.js',
      '--env-file=.env',
    ];
    others.push('--inspect-brk=9229', '--tls-keylog=/tmp/keys', '--openssl-config=/x.cnf', '--eval', 'x');
    others.push('--use-openssl-ca-x', '--use-openssl-ca=/x', '--tls-min-v9', '--tls-cipher-list', '--import');
    others.push('--tls-cipher-list', '--tls-cipher-list=', '--tls-cipher-list=a b', '--tls-cipher-list=a"b');
    expect(certificateFlags(others)).toEqual([]);
    expect(certificateOptions(others.map((one) => JSON.stringify(one)).join(' '))).toBe('');
  });

  test('does not take a quoted part of another flag for one', () => {
    expect(certificateOptions('--require "/a --use-openssl-ca" --use-bundled-ca')).toBe('--use-bundled-ca');
    expect(certificateOptions('--require "/a\\" --use-openssl-ca" --use-bundled-ca')).toBe(
      '--use-bundled-ca',
    );
    expect(certificateOptions('')).toBe('');
  });
});
