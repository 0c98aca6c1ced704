import { describe, expect, it } from 'vitest';
import { violations } from '../../src/base/violations.ts';
import { dynamicConfiguration, httpService, tlsOptions } from '../../src/config/dynamic.ts';
import { decodeLabels } from '../../src/config/labels.ts';

describe('violations', () => {
  it('names what reading lets through and nobody can act on', () => {
    const { configuration, problems } = decodeLabels({
      'traefik.http.services.s.loadbalancer.strategy': 'wr',
      'traefik.http.services.s.loadbalancer.sticky.cookie.samesite': 'bogus',
      'traefik.http.routers.r.rulesyntax': 'v4',
    });
    expect(problems).toEqual([]);
    expect(violations(dynamicConfiguration, configuration)).toEqual([
      { code: 'bad-value', path: ['http', 'services', 's', 'loadBalancer', 'strategy'], message: "'wr' is unknown; did you mean 'wrr'?" },
    ]);
  });
  it.each([
    [tlsOptions, { clientAuth: { clientAuthType: 'Nobody' } }, 1],
    [tlsOptions, { clientAuth: { clientAuthType: '' }, minVersion: 'VersionTLS12' }, 0],
    [tlsOptions, { minVersion: '1.2', maxVersion: 'x' }, 2],
    [httpService, undefined, 0],
  ])('%#', (schema, value, count) => expect(violations(schema, value)).toHaveLength(count));
});
