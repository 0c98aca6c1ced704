import { nearest } from '../../base/errors.ts';
import { portOf } from '../merge/entry-points.ts';
import type { StaticConfiguration } from '../static.ts';
import type { Hint } from './finding.ts';

/** What works otherwise than one may think, or fails only when it is used. */
export function lintStatic({ entryPoints = {}, ping, metrics, certificatesResolvers = {}, providers }: StaticConfiguration): Hint[] {
  const hints: Hint[] = [];
  const names = Object.keys(entryPoints);
  const refer = (object: string, name: string | undefined): void => {
    if (name === undefined || name === '' || names.includes(name)) return;
    const near = nearest(name, names);
    hints.push({
      object,
      message: `names the entry point '${name}', which does not exist; ${near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?`}`,
    });
  };
  if (ping !== undefined && !ping.manualRouting) refer('ping.entryPoint', ping.entryPoint);
  if (metrics?.prometheus !== undefined && !metrics.prometheus.manualRouting)
    refer('metrics.prometheus.entryPoint', metrics.prometheus.entryPoint);
  for (const [name, { acme }] of Object.entries(certificatesResolvers)) {
    refer(`certificatesResolvers.${name}.acme.httpChallenge.entryPoint`, acme?.httpChallenge?.entryPoint);
    if (acme !== undefined && acme.httpChallenge === undefined && acme.tlsChallenge === undefined && acme.dnsChallenge === undefined)
      hints.push({
        object: `certificatesResolvers.${name}.acme`,
        message: 'has no challenge, so that no certificate can be proved; write httpChallenge, tlsChallenge or dnsChallenge',
      });
  }
  const byAddress = new Map<string, string>();
  for (const [name, { address = '' }] of Object.entries(entryPoints)) {
    const object = `entryPoints.${name}.address`;
    if (address === '') hints.push({ object, message: "is empty; write ':80'" });
    else if (portOf(address) === undefined)
      hints.push({ object, message: `'${address}' has no port; write ':${/^\d+$/.test(address) ? address : '80'}'` });
    const key = address.replace(/\/tcp$/i, '');
    const other = byAddress.get(key);
    if (other !== undefined && address !== '')
      hints.push({ object, message: `'${address}' is that of '${other}' too, and one address can be bound once` });
    byAddress.set(key, name);
  }
  const sentinel = providers.redis?.sentinel;
  if (sentinel !== undefined && !sentinel.masterName)
    hints.push({ object: 'providers.redis.sentinel.masterName', message: 'is missing; write the name of the master' });
  if ((['latencyStrategy', 'randomStrategy', 'replicaStrategy'] as const).filter((name) => sentinel?.[name]).length > 1)
    hints.push({ object: 'providers.redis.sentinel', message: 'has several strategies; keep one' });
  const used = Object.entries(providers).some(
    ([name, options]) => name !== 'providersThrottleDuration' && name !== 'precedence' && options !== undefined,
  );
  if (!used)
    hints.push({
      object: 'providers',
      message: 'none is switched on, so that there is nothing to route; write providers: { file: { filename: … } } or another',
    });
  return hints;
}
