/** The X- fields by which proxies speak of the client. */
export const FORWARDED_FIELDS = [
  'X-Forwarded-Proto',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Server',
  'X-Forwarded-Uri',
  'X-Forwarded-Method',
  'X-Forwarded-Prefix',
  'X-Forwarded-Tls-Client-Cert',
  'X-Forwarded-Tls-Client-Cert-Info',
  'X-Real-Ip',
] as const;

const NAMES = new Set(FORWARDED_FIELDS.map((name) => name.toLowerCase()));

/** True for these fields in any letter case, and with `_` for `-`, which many servers take for the same. */
export const isForwardedField = (name: string): boolean => /^x/i.test(name) && NAMES.has(name.toLowerCase().replaceAll('_', '-'));
