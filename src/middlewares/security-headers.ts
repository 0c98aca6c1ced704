import { errorText } from '../base/body.ts';
import { toByteText } from '../base/bytes.ts';
import type { HeaderList, ProxyRequest, ProxyResponse } from '../base/message.ts';

export interface SecurityOptions {
  readonly allowedHosts?: readonly string[];
  readonly hostsProxyHeaders?: readonly string[];
  readonly sslProxyHeaders?: Readonly<Record<string, string>>;
  readonly stsSeconds?: number;
  readonly stsIncludeSubdomains?: boolean;
  readonly stsPreload?: boolean;
  readonly forceSTSHeader?: boolean;
  readonly frameDeny?: boolean;
  readonly customFrameOptionsValue?: string;
  readonly contentTypeNosniff?: boolean;
  readonly browserXssFilter?: boolean;
  readonly customBrowserXSSValue?: string;
  readonly contentSecurityPolicy?: string;
  readonly contentSecurityPolicyReportOnly?: string;
  readonly publicKey?: string;
  readonly referrerPolicy?: string;
  readonly permissionsPolicy?: string;
  readonly isDevelopment?: boolean;
  readonly featurePolicy?: string;
  readonly sslRedirect?: boolean;
  readonly sslTemporaryRedirect?: boolean;
  readonly sslHost?: string;
  readonly sslForceHost?: boolean;
}

export interface SecurityHeaders {
  /** 500 to a host that is not allowed. */
  refuse(request: ProxyRequest): ProxyResponse | undefined;
  onResponse(headers: HeaderList, request: ProxyRequest): void;
}

/** Undefined when no option asks for anything; the deprecated ones count although they do nothing, as in Traefik. */
export function createSecurityHeaders(options: SecurityOptions): SecurityHeaders | undefined {
  if (!asksForSomething(options)) return undefined;
  const { isDevelopment = false } = options;
  const always = fixedFields(options);
  const sts = isDevelopment ? '' : stsValue(options);
  const pin = isDevelopment ? '' : (options.publicKey ?? '');
  const isTls = createTlsTest(options.sslProxyHeaders);
  const isAllowed = isDevelopment ? () => true : createHostTest(options.allowedHosts, options.hostsProxyHeaders);
  return {
    refuse: (request) => (isAllowed(request) ? undefined : errorText(500, 'Bad Host')),
    onResponse(headers, request) {
      for (const [name, value] of always) headers.set(name, value);
      const tls = (sts !== '' || pin !== '') && isTls(request);
      if (sts !== '' && (tls || options.forceSTSHeader)) headers.set('Strict-Transport-Security', sts);
      if (pin !== '' && tls) headers.set('Public-Key-Pins', pin);
    },
  };
}

const OPTIONS: readonly (keyof SecurityOptions)[] = [
  ...(['allowedHosts', 'hostsProxyHeaders', 'sslProxyHeaders', 'stsIncludeSubdomains', 'stsPreload', 'forceSTSHeader'] as const),
  ...(['frameDeny', 'customFrameOptionsValue', 'contentTypeNosniff', 'browserXssFilter', 'customBrowserXSSValue'] as const),
  ...(['contentSecurityPolicy', 'contentSecurityPolicyReportOnly', 'publicKey', 'referrerPolicy', 'permissionsPolicy'] as const),
  ...(['isDevelopment', 'featurePolicy', 'sslRedirect', 'sslTemporaryRedirect', 'sslHost', 'sslForceHost'] as const),
];

/** False and empty values ask for nothing; `stsSeconds: 0` does. */
const asksForSomething = (options: SecurityOptions): boolean =>
  options.stsSeconds !== undefined || OPTIONS.some((name) => isSet(options[name]));

const isSet = (value: unknown): boolean => (typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value));

function fixedFields(options: SecurityOptions): [string, string][] {
  const fields: [string, string | undefined | false][] = [
    ['X-Frame-Options', options.customFrameOptionsValue || (options.frameDeny && 'DENY')],
    ['X-Content-Type-Options', options.contentTypeNosniff && 'nosniff'],
    ['X-Xss-Protection', options.customBrowserXSSValue || (options.browserXssFilter && '1; mode=block')],
    ['Content-Security-Policy', options.contentSecurityPolicy],
    ['Content-Security-Policy-Report-Only', options.contentSecurityPolicyReportOnly],
    ['Referrer-Policy', options.referrerPolicy],
    ['Permissions-Policy', options.permissionsPolicy],
  ];
  return fields.flatMap(([name, value]) => (value ? [[name, toByteText(value)]] : []));
}

function stsValue({ stsSeconds = 0, stsIncludeSubdomains, stsPreload }: SecurityOptions): string {
  if (Number(stsSeconds) === 0) return '';
  return `max-age=${stsSeconds}${stsIncludeSubdomains ? '; includeSubDomains' : ''}${stsPreload ? '; preload' : ''}`;
}

/** The client came by TLS, or a proxy before us says so. */
function createTlsTest(proxyHeaders: Readonly<Record<string, string>> = {}): (request: ProxyRequest) => boolean {
  const fields = Object.entries(proxyHeaders);
  return ({ tls, headers }) => tls !== undefined || fields.some(([name, value]) => (headers.get(name) ?? '') === value);
}

/** Hosts are compared with their port, in any letter case. */
function createHostTest(allowed: readonly string[] = [], proxyHeaders: readonly string[] = []): (request: ProxyRequest) => boolean {
  if (allowed.length === 0) return () => true;
  const hosts = new Set(allowed.map((host) => host.toLowerCase()));
  return ({ host, headers }) => {
    const named = proxyHeaders.map((name) => headers.get(name) ?? '').find((value) => value !== '');
    return hosts.has((named ?? host).toLowerCase());
  };
}
