import { boolean, object } from '../../base/schema.ts';

export const rest = object(
  { insecure: boolean('Takes configurations on the entry point `traefik` without any guard.') },
  'PUT /api/providers/rest.',
  { presence: true },
);
