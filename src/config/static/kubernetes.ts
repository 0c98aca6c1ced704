import { boolean, duration, integer, list, object, string } from '../../base/schema.ts';

const strings = (item: string, summary: string) => list(string(item), summary);
const cluster = {
  endpoint: string('Address of the API server; found from inside a cluster when absent.'),
  token: string('Bearer token: file or content.', { secret: true, fileOrContent: true }),
  certAuthFilePath: string('Authority of the API server.'),
  throttleDuration: duration('Least time between two configurations.'),
};
const scope = {
  namespaces: strings('A namespace.', 'Namespaces that are watched; all when absent.'),
  labelSelector: string('Only objects with these labels.'),
};
const crossProviderNamespaces = strings('A namespace.', 'Namespaces whose objects may name objects of other providers.');
const allowEmptyServices = boolean('Keeps services without endpoints (503).');
const allowExternalNameServices = boolean('Allows services of the type ExternalName.');
const nativeLBByDefault = boolean('Sends to the address of the service instead of its pods.');
const disableClusterScopeResources = boolean('Reads nothing that lies outside of namespaces.');

export const kubernetesIngress = object(
  {
    ...cluster,
    ...scope,
    ingressClass: string('Only objects of this class.'),
    ingressEndpoint: object(
      {
        ip: string('Address written into the status.'),
        hostname: string('Name written into the status.'),
        publishedService: string('namespace/name of the service whose status is copied.'),
      },
      'What is written into the status of an Ingress.',
    ),
    allowEmptyServices,
    allowExternalNameServices,
    crossProviderNamespaces,
    disableIngressClassLookup: boolean('Reads no IngressClass objects.', { deprecated: 'write `disableClusterScopeResources`.' }),
    disableClusterScopeResources,
    nativeLBByDefault,
    strictPrefixMatching: boolean('Prefixes end at a slash.'),
  },
  'Ingress objects.',
  { presence: true },
);

export const kubernetesCRD = object(
  {
    ...cluster,
    ...scope,
    allowCrossNamespace: boolean('References may cross namespaces.'),
    allowExternalNameServices,
    crossProviderNamespaces,
    ingressClass: string('Only objects of this class.'),
    allowEmptyServices,
    nativeLBByDefault,
    disableClusterScopeResources,
  },
  "Traefik's own objects (IngressRoute and others).",
  { presence: true },
);

export const kubernetesGateway = object(
  {
    ...cluster,
    ...scope,
    qps: integer('Requests a second to the API server.', { default: 50 }),
    burst: integer('Requests at once to the API server.', { default: 100 }),
    experimentalChannel: boolean('Also TCPRoute and TLSRoute.'),
    statusAddress: object(
      {
        ip: string('Address.'),
        hostname: string('Name.'),
        service: object({ name: string('Name.'), namespace: string('Namespace.') }, 'Service whose status is copied.', { default: {} }),
      },
      'What is written into the status of a Gateway.',
    ),
    nativeLBByDefault,
    crossProviderNamespaces,
  },
  'Gateway API objects.',
  { presence: true },
);

export const kubernetesIngressNGINX = object(
  {
    ...cluster,
    globalAuthURL: string('Address that judges every request.'),
    watchNamespace: string('The namespace that is watched; all when absent.'),
    watchNamespaceSelector: string('Only namespaces with these labels.'),
    ingressClass: string('Name of the class.', { default: 'nginx' }),
    controllerClass: string('Controller of the class.', { default: 'k8s.io/ingress-nginx' }),
    watchIngressWithoutClass: boolean('Also objects without a class.'),
    ingressClassByName: boolean('Compares the name of the class too.'),
    publishService: string('namespace/name of the service whose status is copied.'),
    publishStatusAddress: strings('An address.', 'Addresses written into the status.'),
    defaultBackendService: string('namespace/name of the service that takes the rest.'),
    disableSvcExternalName: boolean('Refuses services of the type ExternalName.'),
    ipAllowListStrategy: object(
      {
        depth: integer('Position in X-Forwarded-For, from the right.'),
        excludedIPs: strings('An address or a range.', 'Addresses that are passed over.'),
        ipv6Subnet: integer('Length of the IPv6 prefix that counts as one client.'),
      },
      'Which address of a client counts.',
      { presence: true },
    ),
    httpEntryPoint: string('Entry point of plain routers.'),
    httpsEntryPoint: string('Entry point of TLS routers.'),
    proxyRequestBuffering: boolean('Reads request bodies before they are sent on.'),
    clientBodyBufferSize: integer('Bytes of a body that are kept in memory.', { default: 16_384 }),
    proxyBodySize: integer('Largest body in bytes.', { default: 1_048_576 }),
    proxyBuffering: boolean('Reads response bodies before they are sent on.'),
    proxyBufferSize: integer('Bytes of a buffer.', { default: 8_192 }),
    proxyBuffersNumber: integer('Number of buffers.', { default: 4 }),
    proxyConnectTimeout: integer('Seconds to connect.', { default: 60 }),
    proxyReadTimeout: integer('Seconds between two reads.', { default: 60 }),
    proxySendTimeout: integer('Seconds between two writes.', { default: 60 }),
    proxyNextUpstream: string('When another server is tried.', { default: 'error timeout' }),
    proxyNextUpstreamTries: integer('How many servers are tried.', { default: 3 }),
    proxyNextUpstreamTimeout: integer('Seconds after which no other server is tried.'),
    customHTTPErrors: strings('A status.', 'Statuses that the default backend answers.'),
    upstreamKeepaliveTimeout: integer('Seconds that an idle connection is kept.', { default: 60 }),
    allowCrossNamespaceResources: boolean('References may cross namespaces.'),
    globalAllowedResponseHeaders: strings('A field name.', 'Header fields that annotations may set.'),
    allowSnippetAnnotations: boolean('Allows annotations with snippets.'),
    strictValidatePathType: boolean('Refuses paths that do not fit their type.', { default: true }),
  },
  'Ingress objects with annotations of ingress-nginx.',
  { presence: true, ignored: 'this provider does not exist here yet; `kubernetesIngress` reads Ingress objects.' },
);

const serviceRef = (summary: string) => object({ name: string('Name.'), namespace: string('Namespace.') }, summary, { default: {} });

export const knative = object(
  {
    ...cluster,
    token: string('Bearer token.', { secret: true }),
    ...scope,
    publicEntrypoints: strings('An entry point.', 'Entry points of public services.'),
    publicService: serviceRef('Service written into the status of public ones.'),
    privateEntrypoints: strings('An entry point.', 'Entry points of private services.'),
    privateService: serviceRef('Service written into the status of private ones.'),
  },
  'Knative services.',
  { presence: true, ignored: 'this provider does not exist here yet.' },
);
