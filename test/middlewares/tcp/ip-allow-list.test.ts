import { describe, expect, it } from 'vitest';
import { runtimeOf } from '../../support/runtime.ts';

const EMPTY = "'sourceRange' is empty; write the addresses that are let in, as 10.0.0.0/8";
const wrong = (range: string): string =>
  `'${range}' in 'sourceRange' is neither an address nor a network; write 10.0.0.1, 10.0.0.0/8 or fd00::/8`;

describe.each(['ipAllowList', 'ipWhiteList'])('%s of TCP', (kind) => {
  it.each([
    ['{ sourceRange: [] }', EMPTY],
    ['{ sourceRange: ["office"] }', wrong('office')],
    ['{ sourceRange: ["10.0.0.0/8", "10.0.0.0/33"] }', wrong('10.0.0.0/33')],
    ['{ sourceRange: ["10.0.0.0/8", "fd00::1"] }', undefined],
  ])('%s: %s', (options, message) => {
    const { tcp } = runtimeOf(`
tcp:
  routers: { db: { rule: "HostSNI(\`db.test\`)", service: db, middlewares: [guard], tls: {} } }
  services: { db: { loadBalancer: { servers: [{ address: "10.0.0.1:5432" }] } } }
  middlewares: { guard: { ${kind}: ${options} } }
`);
    const { status, errors } = tcp.routers['db@file']!;
    const told = message === undefined ? [] : [`The middleware 'guard@file' is broken: ${message}`];
    expect({ status, errors }).toEqual({ status: message === undefined ? 'enabled' : 'disabled', errors: told });
  });
});
