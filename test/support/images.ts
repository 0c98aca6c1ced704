import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/servers.ts';
import type { Engine } from '../../scripts/swarm/engine.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const APPLETS = ['sh', 'cat', 'cp', 'dirname', 'id', 'ls', 'mkdir', 'readlink', 'sleep', 'env'];

/**
 * Makes images of the names that the Dockerfile and the examples use, without a network: Node with what it needs of this machine,
 * an `npm` that brings the packages that are installed here, a `whoami`, and a proxy before the engine's socket.
 */
export async function importImages(engine: Engine): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-images-'));
  try {
    await importNode(engine, join(folder, 'node'));
    await buildFrom(engine, join(folder, 'whoami'), 'traefik/whoami', join(root, 'scripts/swarm/whoami.ts'));
    await buildFrom(engine, join(folder, 'proxy'), 'tecnativa/docker-socket-proxy', join(root, 'test/support/socket-proxy.ts'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function importNode(engine: Engine, folder: string): Promise<void> {
  for (const path of ['bin', 'etc', 'tmp', 'offline', 'usr/local/bin']) mkdirSync(join(folder, path), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  cpSync(findProgram('busybox')!, join(folder, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(folder, 'bin', applet));
  cpSync(process.execPath, join(folder, 'usr/local/bin/node'));
  for (const [library] of execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/\/\S+\.so\S*/g)) {
    mkdirSync(join(folder, dirname(library)), { recursive: true });
    copyFileSync(library, join(folder, library));
  }
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/:/bin/sh\n');
  writeFileSync(join(folder, 'usr/local/bin/npm'), '#!/bin/sh\nexec cp -r /offline/node_modules .\n', { mode: 0o755 });
  const packages = execFileSync('npm', ['ls', '--omit=dev', '--omit=optional', '--all', '--parseable'], { cwd: root, encoding: 'utf8' });
  for (const path of packages.trim().split('\n').slice(1)) {
    if (path.includes('node-linux-')) continue;
    cpSync(path, join(folder, 'offline', path.slice(root.length)), { recursive: true });
  }
  const archive = `${folder}.tar`;
  execFileSync('tar', ['-C', folder, '-cf', archive, '.']);
  const path = 'ENV PATH=/usr/local/bin:/usr/bin:/bin';
  await engine.docker('import', '-c', path, archive, 'node:24-alpine');
}

async function buildFrom(engine: Engine, folder: string, tag: string, script: string): Promise<void> {
  mkdirSync(folder);
  cpSync(script, join(folder, 'main.ts'));
  writeFileSync(
    join(folder, 'Dockerfile'),
    'FROM node:24-alpine\nCOPY main.ts /\nCMD ["node", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "/main.ts"]\n',
  );
  await engine.docker('build', '-q', '-t', tag, folder);
}
