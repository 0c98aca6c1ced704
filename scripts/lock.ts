import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Completes package-lock.json: a registry that offers only the packages of this platform leaves the others out, and `npm ci` refuses
 * such a lock file. Adds what `optionalDependencies` name with the platform that their names say, and takes registry addresses out.
 */
interface LockPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const PATH = 'package-lock.json';
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPUS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32'];

const lock = JSON.parse(readFileSync(PATH, 'utf8')) as { packages: Record<string, LockPackage> };
let added = 0;
for (const [owner, { optionalDependencies, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || lock.packages[`${owner}/${key}`] !== undefined) continue;
    lock.packages[key] = { version: version.replace(/^[~^]/, ''), ...platform(name), ...(dev && { dev }), optional: true };
    added += 1;
  }
}
for (const entry of Object.values(lock.packages)) delete entry.resolved;
const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(PATH, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
console.log(`${added} packages of other platforms added`);

/** What the name says: `@esbuild/linux-arm64`, `@rolldown/binding-win32-x64-msvc`, `…-linux-x64-musl`. */
function platform(name: string): Pick<LockPackage, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.find(
    (system) => words.includes(system) || (system === 'win32' && words.includes('windows')) || words.includes(`linux${system}`),
  );
  const isMusl = words.some((word) => /musl/.test(word));
  const cpu = CPUS.find((candidate) => words.includes(candidate) || (candidate === 'x64' && words.includes('64')));
  return {
    ...(cpu !== undefined && { cpu: [cpu] }),
    ...(os === undefined ? { os: [words.some((word) => word.startsWith('linux')) ? 'linux' : 'none'] } : { os: [os] }),
    ...(isMusl && { libc: ['musl'] }),
  };
}
