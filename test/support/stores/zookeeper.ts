import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServer, freePort, type RunningServer, startServer } from '../servers.ts';

const JAR = '/usr/share/java/zookeeper.jar';

/** Java, where ZooKeeper is installed as Debian does it. */
export const zooKeeperPath = existsSync(JAR) ? findServer('java') : undefined;

export interface StartedZooKeeper extends RunningServer {
  readonly folder: string;
  remove(): void;
}

/** A single ZooKeeper. What was stopped comes back with `again`. */
export async function startZooKeeper(again?: StartedZooKeeper): Promise<StartedZooKeeper> {
  const folder = again?.folder ?? mkdtempSync(join(tmpdir(), 'edgeway-zookeeper-'));
  const port = again?.port ?? (await freePort());
  const settings = [
    'tickTime=500',
    `dataDir=${folder}/data`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'admin.enableServer=false',
  ];
  writeFileSync(join(folder, 'zoo.cfg'), `${settings.join('\n')}\n`);
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  const args = ['-Xmx128m', '-cp', JAR, '-Dzookeeper.forceSync=no', main, join(folder, 'zoo.cfg')];
  const server = await startServer(zooKeeperPath!, args, port, 'listens');
  return { ...server, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
