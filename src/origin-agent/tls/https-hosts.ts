import { hostKey, httpConstraints } from '../../config/rule/constraint.ts';
import { wildcardRest } from '../../config/rule/host-expression.ts';
import { ruleSyntax } from '../../config/rule/rule.ts';
import type { ProxyConfiguration } from '../../config/snapshot.ts';
import type { ProxyChanges } from '../../proxy/proxy.ts';

type Router = ProxyConfiguration['routers'][string];

interface Hosts {
  /** TLS options and number of routers by host; wildcards as `*.example.com`. */
  readonly byName: Map<string, { options: string; routers: number }>;
  /** Routers that take any host. */
  open: number;
}

/** The hosts of the HTTP routers with TLS, by entry point: which options hold for a name, and whether HTTP takes it at all. */
export class HttpsHosts {
  readonly #routers = new Map<string, Router>();
  readonly #entryPoints = new Map<string, Hosts>();

  update({ routers = {} }: ProxyChanges): void {
    for (const [name, router] of Object.entries(routers)) {
      const before = this.#routers.get(name);
      if (before !== undefined) this.#count(before, -1);
      this.#routers.delete(name);
      if (router === null || router.tls === undefined || (router.parentRefs ?? []).length > 0) continue;
      this.#routers.set(name, router);
      this.#count(router, 1);
    }
  }

  #count(router: Router, step: 1 | -1): void {
    const names = namesOf(router);
    for (const entryPoint of router.entryPoints) {
      let hosts = this.#entryPoints.get(entryPoint);
      if (hosts === undefined) this.#entryPoints.set(entryPoint, (hosts = { byName: new Map(), open: 0 }));
      for (const name of names) {
        if (name === '') hosts.open += step;
        else countName(hosts, name, router.tls!.options ?? 'default', step);
      }
      if (hosts.open === 0 && hosts.byName.size === 0) this.#entryPoints.delete(entryPoint);
    }
  }

  /** Any HTTP router with TLS is on the entry point. */
  serves(entryPoint: string): boolean {
    return this.#entryPoints.has(entryPoint);
  }

  /** One of them takes any host. */
  isOpen(entryPoint: string): boolean {
    return (this.#entryPoints.get(entryPoint)?.open ?? 0) > 0;
  }

  /** The TLS options of a host (in small letters); undefined when no router names it. */
  optionsOf(entryPoint: string, host: string): string | undefined {
    if (host === '') return undefined;
    const byName = this.#entryPoints.get(entryPoint)?.byName;
    const name = hostKey(host);
    return (byName?.get(name) ?? byName?.get(`*${wildcardRest(name)}`))?.options;
  }
}

function countName({ byName }: Hosts, name: string, options: string, step: 1 | -1): void {
  const found = byName.get(name);
  if (found === undefined) byName.set(name, { options, routers: 1 });
  else {
    found.routers += step;
    found.options = step === 1 ? options : found.options;
    if (found.routers === 0) byName.delete(name);
  }
}

/** An empty name stands for any host. */
function namesOf({ rule = '', ruleSyntax: syntax }: Router): ReadonlySet<string> {
  try {
    return new Set(
      httpConstraints(rule, ruleSyntax(syntax)).map(({ hostKind, host }) =>
        hostKind === 'any' ? '' : hostKind === 'exact' ? host : `*${host}`,
      ),
    );
  } catch {
    // The table of routes tells of it.
    return new Set();
  }
}
