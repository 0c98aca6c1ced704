import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { ServerTarget } from '../../proxy/platform.ts';
import { CIPHER_SUITES, tlsVersionOf } from '../tls-names.ts';

/** Path of the socket in `unix:///run/app.sock`; undefined for servers reached by TCP. */
export function unixPath(target: ServerTarget): string | undefined {
  return target.url.startsWith('unix:') ? decodeURIComponent(new URL(target.url).pathname) : undefined;
}

/** What `tls.connect` is told about a server. Without a name of its own in the transport, the URL's host is the SNI (addresses send none). */
export function upstreamTlsOptions({ transport, host }: ServerTarget): ConnectionOptions {
  const name = transport.serverName || host;
  const { rootCAs = [], certificates = [], cipherSuites = [], minVersion, maxVersion, peerCertURI } = transport;
  // OpenSSL 3 speaks TLS below 1.2 at security level 0 alone.
  const old = minVersion === 'VersionTLS10' || minVersion === 'VersionTLS11';
  const suites = cipherSuites.flatMap((suite) => CIPHER_SUITES[suite] ?? []);
  const ciphers = [suites.length > 0 ? suites.join(':') : old ? 'DEFAULT' : '', old ? '@SECLEVEL=0' : ''].filter(Boolean).join(':');
  return {
    servername: isAddress(name) ? '' : name,
    rejectUnauthorized: !transport.insecureSkipVerify,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) ?? checkUri(certificate, peerCertURI),
    ...(rootCAs.length > 0 && { ca: [...rootCAs] }),
    ...(certificates.length > 0 && {
      cert: certificates.map(({ certFile }) => certFile ?? ''),
      key: certificates.map(({ keyFile }) => keyFile ?? ''),
    }),
    ...(ciphers !== '' && { ciphers }),
    ...(tlsVersionOf(minVersion) !== undefined && { minVersion: tlsVersionOf(minVersion)! }),
    ...(tlsVersionOf(maxVersion) !== undefined && { maxVersion: tlsVersionOf(maxVersion)! }),
  };
}

const isAddress = (host: string): boolean => host.includes(':') || /^[0-9.]+$/.test(host);

function checkUri({ subjectaltname = '' }: PeerCertificate, uri: string | undefined): Error | undefined {
  if (!uri || subjectaltname.split(', ').includes(`URI:${uri}`)) return undefined;
  return Object.assign(new Error(`The certificate names no URI '${uri}'`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}
