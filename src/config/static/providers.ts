import { any, duration, list, map, object, string } from '../../base/schema.ts';
import { consulCatalog, ecs, nomad } from './catalogs.ts';
import { docker, swarm } from './docker.ts';
import { file } from './file.ts';
import { http } from './http.ts';
import { knative, kubernetesCRD, kubernetesGateway, kubernetesIngress, kubernetesIngressNGINX } from './kubernetes.ts';
import { rancher } from './rancher.ts';
import { rest } from './rest.ts';
import { consul, etcd, redis, zooKeeper } from './stores.ts';

export const providers = object(
  {
    providersThrottleDuration: duration('Least time between two configurations of a provider.', { default: 2_000 }),
    precedence: list(string('A provider.'), 'Whose router is asked first among those of equal priority.'),
    docker,
    swarm,
    file,
    kubernetesIngress,
    kubernetesIngressNGINX,
    kubernetesCRD,
    kubernetesGateway,
    knative,
    rest,
    rancher,
    consulCatalog,
    nomad,
    ecs,
    consul,
    etcd,
    zooKeeper,
    redis,
    http,
    plugin: map(any('Its options.'), 'Provider plug-ins by name.', { ignored: 'plug-ins cannot be loaded here.' }),
  },
  'Where dynamic configuration comes from.',
  { default: {} },
);
