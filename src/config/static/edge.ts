import { boolean, duration, integer, map, object, oneOf, string } from '../../base/schema.ts';

/** Where keys and copies are kept unless `edge.stateDirectory` says otherwise. */
export const STATE_DIRECTORY = './edgeway-state';

/** What only Edgeway has. These options may come from several sources at once: flags before variables before the file. */
export const edge = object(
  {
    entryPoints: map(
      oneOf(['http', 'https'], 'Scheme that clients use at the edge.'),
      'Entry points whose routers are published at the edge; none by default.',
    ),
    site: string('Name of this agent and its place, unlike that of every other agent; the name of the host when it is `default`.', {
      default: 'default',
    }),
    relay: object(
      {
        address: string('[host]:port where the edge comes in.', { default: ':8443' }),
        publicUrl: string('Address under which the edge reaches this agent.'),
        tls: object(
          {
            certFile: string('PEM file or content.', { fileOrContent: true }),
            keyFile: string('PEM file or content.', { fileOrContent: true, secret: true }),
          },
          'Certificate of the relay; plain HTTP behind a tunnel when absent.',
        ),
      },
      'Last hop from the edge to servers.',
    ),
    hub: object({ url: string('Address of the hub, the control host of the Worker.') }, 'Where configuration is published.'),
    code: string('Enrolment code, used once at the first start.', { secret: true }),
    stateDirectory: string('Folder for keys and the last good configuration.', { default: STATE_DIRECTORY }),
    threads: integer('Data threads; the number of cores, at most 4, when absent.', {
      check: (value) => (value < 0 || value > 256 ? `${value} is no number of threads; write 1 to 256` : undefined),
    }),
    forgetAfter: duration('How long the hub keeps what a silent agent published.', { default: 86_400_000 }),
    takeover: boolean('Takes the ports over from a running agent without losing a connection.', { default: false }),
    bootstrap: string('URL of a store that holds the static configuration: redis://…, etcd://…, consul://…, zookeeper://….', {
      secret: true,
    }),
  },
  'What only Edgeway has.',
  { default: {} },
);
