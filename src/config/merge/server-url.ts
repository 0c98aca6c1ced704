/** What stands in a host without being escaped, as Go's URL parser sees it. */
const HOST = /^[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"\u0080-\uffff]*$/;

const USUAL = /^https?:\/\/[a-z0-9.-]+(?::\d+)?\/?$/;

/**
 * Why an address of a server cannot be used: `critical` as Traefik refuses it, `warning` where every request fails with 500 there
 * too. Undefined when it is sound.
 */
export function serverUrlProblem(url: string): { readonly critical?: string; readonly warning?: string } | undefined {
  if (USUAL.test(url)) return undefined;
  const form = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)/.exec(url);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses exactly these
  if (form === null || /[\u0000-\u001f\u007f]/.test(url)) return { critical: `The address '${url}' of a server has control characters` };
  const [, scheme, authority, path = ''] = form;
  if (scheme === undefined && authority === undefined && /^[^/]*:/.test(path))
    return { critical: `The address '${url}' of a server has no scheme; write http://${url}` };
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return { critical: `The address '${url}' of a server has a broken escape` };
  if (authority !== undefined) {
    const host = authority.slice(authority.lastIndexOf('@') + 1);
    if (!HOST.test(host.replace(/%[0-9A-Fa-f]{2}/g, '')))
      return { critical: `The address '${url}' of a server has characters that no host has` };
    const port = host.startsWith('[') ? host.slice(host.indexOf(']') + 1) : host.includes(':') ? host.slice(host.lastIndexOf(':')) : '';
    if (port !== '' && !/^:\d*$/.test(port))
      return { critical: `The address '${url}' of a server has no port after the colon, but '${port.slice(1)}'` };
  }
  if (authority === undefined || authority === '' || !/^(https?|h2c|unix)$/i.test(scheme ?? ''))
    return { warning: `The address '${url}' of a server is no http://host:port; its requests fail` };
  return undefined;
}
