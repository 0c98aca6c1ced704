import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Logger } from '../../base/log.ts';
import type { TlsFacts } from '../../base/message.ts';
import type { ClientHello } from './hello.ts';
import { type ReadOptions, readTlsOptions, type TlsOptions } from './options.ts';
import { type CertificateStore, createCertificateStore, type KeyPair, type StoredCertificate } from './store.ts';

/** All that is needed to speak TLS with clients. */
export interface TlsConfiguration {
  readonly certificates: readonly StoredCertificate[];
  readonly fallback: KeyPair;
  readonly options: Readonly<Record<string, TlsOptions>>;
  /** 48 bytes, the same in all threads. */
  readonly ticketKeys: Uint8Array;
}

/** How one connection is terminated. */
export interface TlsPlan {
  readonly context: SecureContext;
  readonly read: ReadOptions;
  /** Key of the options. */
  readonly options: string;
}

export interface TlsTermination {
  /** `refused`: the options forbid the name (sniStrict). Undefined when there are no such options. */
  plan(options: string, name: string): TlsPlan | 'refused' | undefined;
}

export function createTlsTermination(configuration: TlsConfiguration, log: Logger): TlsTermination {
  const store: CertificateStore = createCertificateStore(configuration.certificates, configuration.fallback);
  const read = new Map<string, ReadOptions | undefined>();
  const plans = new Map<string, Map<KeyPair, TlsPlan>>();

  function readOnce(name: string): ReadOptions | undefined {
    if (read.has(name)) return read.get(name);
    let result: ReadOptions | undefined;
    try {
      const options = configuration.options[name];
      if (options !== undefined) result = readTlsOptions(options);
    } catch (error) {
      log.error('TLS options cannot be used', { tlsOptions: name, error });
    }
    read.set(name, result);
    return result;
  }

  function createPlan(name: string, options: ReadOptions, pair: KeyPair): TlsPlan {
    const noTickets = configuration.options[name]!.disableSessionTickets === true;
    return {
      options: name,
      read: options,
      context: createSecureContext({
        ...options.context,
        cert: pair.cert,
        key: pair.key,
        ticketKeys: Buffer.from(configuration.ticketKeys),
        // A session holds for the options it was made under only, or it would get around client certificates.
        sessionIdContext: createHash('sha256')
          .update(`${name} ${JSON.stringify(options)}`)
          .digest('hex')
          .slice(0, 32),
        ...(noTickets && { secureOptions: SSL_OP_NO_TICKET }),
      }),
    };
  }

  return {
    plan(name, serverName) {
      const options = readOnce(name);
      if (options === undefined) return undefined;
      const found = store.find(serverName);
      if (found === undefined && options.sniStrict) return 'refused';
      const pair = found ?? store.fallback;
      let ofOptions = plans.get(name);
      if (ofOptions === undefined) plans.set(name, (ofOptions = new Map()));
      let plan = ofOptions.get(pair);
      if (plan === undefined) ofOptions.set(pair, (plan = createPlan(name, options, pair)));
      return plan;
    },
  };
}

const SSL_OP_NO_TICKET = 0x4000;

/** A fatal alert for what OpenSSL is not asked about: unrecognized_name. */
export const UNRECOGNIZED_NAME = Buffer.from([21, 3, 1, 0, 2, 2, 112]);

/**
 * Speaks TLS on a socket from which `first` has been read. `secured` is called when the client has shown what the options want of it;
 * otherwise the socket is closed.
 */
export function terminateTls(
  socket: Socket,
  first: Uint8Array,
  plan: TlsPlan,
  hello: ClientHello,
  isSpoken: (protocol: string) => boolean,
  secured: (socket: TLSSocket, facts: TlsFacts) => void,
): TLSSocket {
  const { clientAuth } = plan.read;
  const protocols = plan.read.protocols.filter(isSpoken);
  // TLSSocket takes what its socket holds already as received.
  socket.unshift(first);
  const tls = new TLSSocket(socket, {
    isServer: true,
    secureContext: plan.context,
    requestCert: clientAuth.request,
    // OpenSSL then fails without a certificate; whether it is a good one is asked below.
    rejectUnauthorized: clientAuth.require,
    ...(protocols.length > 0 && hello.protocols.length > 0 && { ALPNProtocols: [...protocols] }),
  });
  tls.on('error', () => {});
  tls.once('secure', () => {
    const certificates = clientAuth.request ? clientCertificates(tls, clientAuth.authorities) : [];
    if (clientAuth.verify && certificates.length > 0 && verifyError(tls) != null) {
      tls.destroy();
      return;
    }
    // Only tls.Server says so for itself; HTTP/2 would wait for it for ever.
    (tls as { secureConnecting?: boolean }).secureConnecting = false;
    const { standardName } = tls.getCipher() as { standardName: string };
    secured(tls, {
      serverName: hello.serverName === '' ? undefined : hello.serverName,
      version: (tls.getProtocol() ?? '').replace(/^TLSv(\d)$/, '$1.0').replace('TLSv', ''),
      cipher: standardName,
      clientCertificates: certificates,
      options: plan.options,
    });
  });
  return tls;
}

/** Only `tls.Server` asks this for itself (`authorized`), and it has one set of options for all. */
const verifyError = (socket: TLSSocket): Error | null | undefined =>
  (socket as unknown as { _handle: { verifyError(): Error | null } })._handle.verifyError();

/** What the client showed: OpenSSL completes its chain with the authorities, which are left out here. */
function clientCertificates(socket: TLSSocket, authorities: ReadonlySet<string>): Uint8Array[] {
  const seen = new Map<string, Uint8Array>();
  let certificate = socket.getPeerCertificate(true);
  // The issuer of a root is the root itself.
  while (certificate?.raw !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.set(certificate.fingerprint256, certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return [...seen].filter(([fingerprint], index) => index === 0 || !authorities.has(fingerprint)).map(([, raw]) => raw);
}
