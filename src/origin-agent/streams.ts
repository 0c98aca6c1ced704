import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { RuntimeConfiguration, RuntimeTcpRouter } from '../config/runtime.ts';
import { canonicalJson } from '../config/snapshot.ts';
import { readCertificate } from './tls/certificates.ts';
import { generateDefaultCertificate } from './tls/default-certificate.ts';
import type { KeyPair, StoredCertificate } from './tls/store.ts';
import type { TlsConfiguration } from './tls/termination.ts';

type Configs<Objects> = { readonly [Name in keyof Objects]: Objects[Name] extends { readonly config: infer Config } ? Config : never };
type Tcp = RuntimeConfiguration['tcp'];
type Udp = RuntimeConfiguration['udp'];

/** What data threads know beside HTTP: enabled objects under qualified names, certificates read. */
export interface StreamConfiguration {
  readonly tls: TlsConfiguration;
  readonly tcp: {
    readonly routers: Readonly<Record<string, RuntimeTcpRouter>>;
    readonly services: Configs<Tcp['services']>;
    readonly middlewares: Configs<Tcp['middlewares']>;
    readonly serversTransports: Configs<Tcp['serversTransports']>;
  };
  readonly udp: { readonly routers: Configs<Udp['routers']>; readonly services: Configs<Udp['services']> };
}

/** Makes the configuration of the threads of the one in force; the same object while nothing of it has changed. */
export interface StreamConfigurations {
  of(runtime: RuntimeConfiguration): StreamConfiguration;
}

export function createStreamConfigurations({ clock, log }: { clock: Clock; log: Logger }): StreamConfigurations {
  const ticketKeys = randomBytes(48);
  const read = new Map<string, StoredCertificate | undefined>();
  let generated: KeyPair | undefined;
  let last: { text: string; value: StreamConfiguration } | undefined;

  function readOnce(written: { certFile?: string; keyFile?: string }): StoredCertificate | undefined {
    const pair = { cert: written.certFile ?? '', key: written.keyFile ?? '' };
    const text = `${pair.cert}\n${pair.key}`;
    if (!read.has(text)) {
      try {
        read.set(text, readCertificate(pair));
      } catch (error) {
        // The field holds the file's content, or the path of a file that could not be read.
        log.error('A certificate cannot be used', { certificate: pair.cert.includes('-----BEGIN') ? 'PEM content' : pair.cert, error });
        read.set(text, undefined);
      }
    }
    return read.get(text);
  }

  return {
    of({ http, tls, tcp, udp }) {
      const certificates = tls.certificates
        .filter(({ stores = ['default'] }) => stores.includes('default'))
        .flatMap((one) => readOnce(one) ?? []);
      const written = tls.stores.default?.defaultCertificate;
      const fallback = written === undefined ? undefined : readOnce(written);
      const needsTls =
        Object.values(tcp.routers).some(({ config }) => config.tls !== undefined) ||
        Object.values(http.routers).some(({ config }) => config.tls !== undefined);
      if (fallback === undefined && needsTls) generated ??= generateDefaultCertificate(clock.now());
      const value: StreamConfiguration = {
        tls: { certificates, fallback: fallback ?? generated ?? { cert: '', key: '' }, options: tls.options, ticketKeys },
        tcp: {
          routers: enabled(tcp.routers),
          services: enabled(tcp.services),
          middlewares: enabled(tcp.middlewares),
          serversTransports: enabled(tcp.serversTransports),
        },
        udp: { routers: enabled(udp.routers), services: enabled(udp.services) },
      };
      const text = canonicalJson({ ...value, tls: { ...value.tls, ticketKeys: 0 } });
      if (last?.text !== text) last = { text, value };
      return last.value;
    },
  };
}

function enabled<T>(objects: Readonly<Record<string, { readonly status: string; readonly config: T }>>): Record<string, T> {
  const result: Record<string, T> = {};
  for (const [name, object] of Object.entries(objects)) if (object.status !== 'disabled') result[name] = object.config;
  return result;
}
