/**
 * `*.example.com` stands for exactly one label before `.example.com`; `example.com` for itself. Both sides in small letters.
 * An expression that begins with `*` otherwise (`*.`) is compared in the same way, as Traefik does.
 */
export const isHostExpression = (expression: string, host: string): boolean =>
  expression.startsWith('*') ? expression.length - 1 === restLength(host) && host.endsWith(expression.slice(1)) : expression === host;

const restLength = (host: string): number => {
  const dot = host.indexOf('.');
  return dot === -1 ? 0 : host.length - dot;
};

/** What stands after the first label, dot included: `a.b.c` gives `.b.c`. */
export function wildcardRest(host: string): string {
  const dot = host.indexOf('.');
  return dot === -1 ? '' : host.slice(dot);
}
