import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

export interface Authority {
  readonly certificate: string;
  issue(names: readonly string[]): Certificate;
}

/** A certificate authority of this test's own; needs openssl. */
export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-ca-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-days', '2', '-subj', '/CN=Edgeway test CA');
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  return {
    certificate: readFileSync(at('ca.crt'), 'utf8'),
    issue(names) {
      const id = `leaf${count++}`;
      openssl('req', ...newKey, '-keyout', at(`${id}.key`), '-out', at(`${id}.csr`), '-subj', `/CN=${names[0]}`);
      writeFileSync(
        at(`${id}.ext`),
        `subjectAltName=${names.map((name) => `${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',')}\nbasicConstraints=CA:FALSE\n`,
      );
      const signing = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at(`${id}.ext`)];
      openssl('x509', '-req', '-in', at(`${id}.csr`), ...signing, '-out', at(`${id}.crt`));
      return { key: readFileSync(at(`${id}.key`), 'utf8'), certificate: readFileSync(at(`${id}.crt`), 'utf8') };
    },
  };
}
