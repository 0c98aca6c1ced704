import type { RuntimeConfiguration } from '../../config/runtime.ts';
import type { StaticConfiguration } from '../../config/static.ts';
import type { CertificateFacts } from './certificates.ts';

interface Section {
  readonly total: number;
  readonly warnings: number;
  readonly errors: number;
}

/** Numbers by protocol and kind, what is switched on, and the providers. */
export function overview(
  runtime: RuntimeConfiguration,
  configuration: StaticConfiguration,
  certificates: readonly CertificateFacts[],
): object {
  const { http, tcp, udp } = runtime;
  return {
    http: { routers: count(http.routers), services: count(http.services), middlewares: count(http.middlewares) },
    tcp: { routers: count(tcp.routers), services: count(tcp.services), middlewares: count(tcp.middlewares) },
    udp: { routers: count(udp.routers), services: count(udp.services) },
    certificates: {
      total: certificates.length,
      warnings: certificates.filter(({ status }) => status === 'warning').length,
      errors: certificates.filter(({ status }) => status === 'expired').length,
    } satisfies Section,
    features: {
      tracing: configuration.tracing === undefined ? '' : 'OTLP',
      metrics: firstOf(configuration.metrics, METRICS),
      accessLog: configuration.accessLog !== undefined,
    },
    providers: PROVIDERS.filter(([key]) => (configuration.providers as Record<string, unknown>)[key] !== undefined).map(([, name]) => name),
  };
}

function count(objects: Readonly<Record<string, { readonly status: string }>>): Section {
  const all = Object.values(objects);
  return {
    total: all.length,
    warnings: all.filter(({ status }) => status === 'warning').length,
    errors: all.filter(({ status }) => status === 'disabled').length,
  };
}

const firstOf = (options: object | undefined, names: readonly (readonly [string, string])[]): string =>
  names.find(([key]) => (options as Record<string, unknown> | undefined)?.[key] !== undefined)?.[1] ?? '';

const METRICS = [
  ['prometheus', 'Prometheus'],
  ['datadog', 'Datadog'],
  ['statsD', 'StatsD'],
  ['influxDB2', 'InfluxDB2'],
  ['otlp', 'OTLP'],
] as const;

/** By key, as the dashboard names them, in its order. */
const PROVIDERS = [
  ['docker', 'Docker'],
  ['swarm', 'Swarm'],
  ['file', 'File'],
  ['kubernetesIngress', 'KubernetesIngress'],
  ['kubernetesIngressNGINX', 'KubernetesIngressNGINX'],
  ['kubernetesCRD', 'KubernetesCRD'],
  ['kubernetesGateway', 'KubernetesGateway'],
  ['knative', 'Knative'],
  ['rest', 'Rest'],
  ['rancher', 'Rancher'],
  ['consulCatalog', 'ConsulCatalog'],
  ['nomad', 'Nomad'],
  ['ecs', 'Ecs'],
  ['consul', 'Consul'],
  ['etcd', 'Etcd'],
  ['zooKeeper', 'ZooKeeper'],
  ['redis', 'Redis'],
  ['http', 'HTTP'],
] as const;
