/** `host:port`, `[::1]:6379`, `http://host:port`, or a host alone. */
export function parseEndpoint(endpoint: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:https?:\/\/)?(?:\[([^\]]*)\]|([^:/]*))(?::(\d+))?\/?$/.exec(endpoint);
  return { host: match?.[1] ?? match?.[2] ?? endpoint, port: Number(match?.[3] ?? defaultPort) };
}
