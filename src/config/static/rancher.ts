import { boolean, integer, object, string } from '../../base/schema.ts';
import { labelled } from './docker.ts';

export const rancher = object(
  {
    ...labelled,
    watch: boolean('Follows changes.', { default: true }),
    enableServiceHealthFilter: boolean('Leaves out what is neither healthy nor active.', { default: true }),
    refreshSeconds: integer('Seconds between looks at the metadata.', { default: 15 }),
    intervalPoll: boolean('Asks again after `refreshSeconds` instead of waiting for a change.'),
    prefix: string('First part of the path of the metadata service.', { default: 'latest' }),
  },
  'Services of a Rancher 1.x (removed from Traefik 3, kept here).',
  { presence: true },
);
