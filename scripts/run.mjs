// Runs a script of this folder on any Node from 20 up: installs the locked dependencies when they are missing, then hands over
// to the Node that came with them. Plain JavaScript without dependencies, because nothing is installed yet when it starts.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...args] = process.argv.slice(2);
const modules = join(root, 'node_modules');
const marker = join(modules, '.edgeway-installed');
const lock = join(root, 'package-lock.json');

/** Whether the installed packages are those of the lock file. */
function isInstalled() {
  if (!existsSync(join(modules, '.package-lock.json'))) return false;
  if (existsSync(marker)) return readFileSync(marker, 'utf8') === readFileSync(lock, 'utf8');
  return statSync(join(modules, '.package-lock.json')).mtimeMs >= statSync(lock).mtimeMs;
}

if (!isInstalled()) {
  console.log('Installing the locked dependencies (npm ci) …');
  const started = Date.now();
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error("edgeway: 'npm ci' failed; the lines above say why");
    process.exit(status ?? 1);
  }
  writeFileSync(marker, readFileSync(lock, 'utf8'));
  console.log(`Installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

const own = [`node-linux-${process.arch}`].map((name) => join(modules, name, 'bin', 'node')).find(existsSync);
const [major] = process.versions.node.split('.').map(Number);
if (own === undefined && major < 24) {
  console.error(
    `edgeway: needs Node 24 or newer, and no package brings one for ${process.platform}/${process.arch}; this is ${process.versions.node}`,
  );
  process.exit(1);
}
const node = own ?? process.execPath;
const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(root, 'scripts', `${name}.ts`), ...args], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: [dirname(node), join(modules, '.bin'), process.env.PATH].join(delimiter),
    WRANGLER_SEND_METRICS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  },
});
// The terminal sends Ctrl-C to both; the child decides when it is over.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 1;
  if (signal !== null) process.kill(process.pid, signal);
});
