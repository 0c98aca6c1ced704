import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { ConfigError } from '../base/errors.ts';
import type { HubKeys } from '../config/hub-protocol.ts';
import { writePrivateFile } from './private-file.ts';

/** Who a publisher is, and what it pinned when it was enrolled. Only the owner may read the file. */
export interface Identity {
  /** Ed25519; made at the first start and never sent anywhere. */
  readonly privateKey: JWK;
  readonly publicKey: JWK;
  readonly enrolment: Enrolment | undefined;
}

export interface Enrolment {
  readonly hub: string;
  readonly name: string;
  readonly keys: HubKeys;
}

export interface IdentityStore {
  identity(): Identity;
  /** Written before it counts. */
  enrol(enrolment: Enrolment): void;
}

const FILE = 'publisher.json';

/** Opens the folder's identity, or makes one. Throws ConfigError `config.io`. */
export async function openIdentity(directory: string): Promise<IdentityStore> {
  const path = join(directory, FILE);
  let identity = read(path);
  if (identity === undefined) {
    const pair = await generateKeyPair('EdDSA', { extractable: true });
    identity = { privateKey: await exportJWK(pair.privateKey), publicKey: await exportJWK(pair.publicKey), enrolment: undefined };
    write(path, identity);
  }
  return {
    identity: () => identity!,
    enrol(enrolment) {
      const next = { ...identity!, enrolment };
      write(path, next);
      identity = next;
    },
  };
}

function read(path: string): Identity | undefined {
  try {
    const identity = JSON.parse(readFileSync(path, 'utf8')) as Identity;
    if (identity.privateKey?.d === undefined) throw new Error('it holds no private key');
    chmodSync(path, 0o600);
    return identity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(
      'config.io',
      `The identity in ${path} cannot be read: ${(error as Error).message}; restore it, or remove it and enrol again`,
    );
  }
}

function write(path: string, identity: Identity): void {
  try {
    writePrivateFile(path, `${JSON.stringify(identity, null, 2)}\n`);
  } catch (error) {
    throw new ConfigError(
      'config.io',
      `The identity cannot be kept in ${path}: ${(error as Error).message}; set edge.stateDirectory to a folder that can be written`,
    );
  }
}
