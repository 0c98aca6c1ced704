import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Real servers and clients that suites use: program → Debian package. A suite asks for programs with `test/support/servers.ts`. */
export const SERVERS: Readonly<Record<string, string>> = {
  'redis-server': 'redis-server',
  psql: 'postgresql',
  etcd: 'etcd-server',
  'zkServer.sh': 'zookeeper',
  java: 'default-jre-headless',
  htpasswd: 'apache2-utils',
  nginx: 'nginx',
  openssl: 'openssl',
  curl: 'curl',
  h2load: 'nghttp2-client',
  dockerd: 'docker.io',
  busybox: 'busybox-static',
  ip: 'iproute2',
  iptables: 'iptables',
  'docker-compose': 'docker-compose',
  prometheus: 'prometheus',
};

/** Programs that no Debian package brings: variable → what naming one changes. */
const BINARIES: Readonly<Record<string, string>> = {
  CONSUL: 'runs the suites of Consul against a real one; without it against a stand-in that is held to a recording of one',
  TRAEFIK: 'runs the suites that compare with Traefik; without it they are skipped',
};

/** The path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/share/zookeeper/bin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Installs what is missing where that was asked for and can be done; else says which programs are missing and how to get them. */
export async function installServers(): Promise<void> {
  for (const [variable, without] of Object.entries(BINARIES))
    if (!process.env[variable]) console.log(`${variable}=/path/to/${variable.toLowerCase()} ${without}`);
  const missing = Object.keys(SERVERS).filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((name) => SERVERS[name]!))];
  const wanted = process.env.CI === 'true' || process.env.EDGEWAY_TEST_INSTALL === '1';
  if (!wanted || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    console.log(`Suites that need ${missing.join(', ')} are skipped. To enable them: apt-get install ${packages.join(' ')},`);
    console.log('or, as root on Debian, EDGEWAY_TEST_INSTALL=1 npm test');
    return;
  }
  console.log(`Installing ${packages.join(' ')} …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // No service may start by itself: the suites start their own, on loopback and on ports of their choice.
  for (const command of [
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { status, stderr } = spawnSync(command[0]!, command.slice(1), { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) console.log(`'${command.slice(0, 2).join(' ')}' failed: ${stderr}`);
  }
}
