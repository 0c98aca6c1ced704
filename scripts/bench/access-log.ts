import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../src/base/log.ts';
import { createFacts, createRequest, HeaderList, type ProxyRequest } from '../../src/base/message.ts';
import { createLineBatch } from '../../src/origin-agent/access-log/batch.ts';
import { createAccessLogWriter } from '../../src/origin-agent/access-log/writer.ts';
import { createAccessLogFormat } from '../../src/proxy/access-log.ts';
import { LineBuffer } from '../../src/proxy/line-buffer.ts';
import { createMetrics } from '../../src/proxy/metrics.ts';
import { observe, observeRouter } from '../../src/proxy/observation.ts';

/** What a request pays on its data thread for being told of, and how many lines a second the control thread can write. */
export async function bench(): Promise<Record<string, string | number>[]> {
  return [...formats(), metrics(), await writer()];
}

const ROUNDS = 100_000;
const PORT = 40_000;

function made(i: number): ProxyRequest {
  const startedAt = 1_790_000_000_000 + i * 0.37;
  const request = createRequest({
    path: `/blog/${i}`,
    query: 'page=2',
    host: 'blog.example.com',
    clientAddress: '203.0.113.7',
    clientPort: PORT + (i % 1000),
    entryPoint: 'websecure',
    scheme: 'https',
    protocol: 'HTTP/2.0',
    tls: { serverName: 'x', version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [], options: 'default' },
    headers: new HeaderList([
      'User-Agent',
      'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101',
      'Accept',
      'text/html',
      'Cookie',
      'a=b',
    ]),
    facts: createFacts(startedAt),
  });
  observe(request, undefined);
  const observation = request.facts.observation!;
  request.facts.routerName = 'blog@docker';
  request.facts.serviceUrl = 'http://172.18.0.5:8080';
  observeRouter(observation, { service: 'blog@docker' } as never);
  observation.tries.push({ service: 'blog@docker', startedAt: startedAt + 0.1, durationMs: 2.4, status: 200, size: 5120 });
  observation.originHeaders = new HeaderList(['Content-Type', 'text/html', 'Server', 'nginx']);
  observation.responseHeaders = observation.originHeaders;
  return request;
}

/** Microseconds of one, the best of five passes. */
function measure(each: (request: ProxyRequest, i: number) => void): number {
  const requests = Array.from({ length: 1000 }, (_, i) => made(i));
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 5; pass++) {
    const started = performance.now();
    for (let i = 0; i < ROUNDS; i++) each(requests[i % 1000]!, i);
    best = Math.min(best, ((performance.now() - started) * 1000) / ROUNDS);
  }
  return best;
}

const OUTCOME = { status: 200, sentBytes: 5120 };
const row = (name: string, us: number) => ({ name, 'µs each': us.toFixed(2), 'each second': Math.round(1e6 / us) });

function formats(): Record<string, string | number>[] {
  const all = { headers: { defaultMode: 'keep' } };
  return [
    { name: 'common', format: 'common' },
    { name: 'json', format: 'json' },
    { name: 'json with all header fields', format: 'json', fields: all },
  ].map(({ name, ...options }) => {
    const format = createAccessLogFormat(options);
    let written = 0;
    const batch = createLineBatch({ now: () => 0, after: () => () => {} }, (lines) => void (written += lines.length));
    const us = measure((request, i) => {
      format(batch.buffer, request, request.facts.observation!, OUTCOME, request.facts.startedAt + 2.9, i);
      batch.added();
    });
    if (written === 0) throw new Error('nothing was written');
    return row(`a line of ${name}`, us);
  });
}

function metrics(): Record<string, string | number> {
  const counted = createMetrics({
    buckets: [0.1, 0.3, 1.2, 5],
    addEntryPointsLabels: true,
    addRoutersLabels: true,
    addServicesLabels: true,
  });
  const us = measure((request) => counted.record(request, request.facts.observation!, OUTCOME, request.facts.startedAt + 2.9));
  return row('numbers of a request: entry point, router, service', us);
}

/** Lines as data threads send them, a thousand together, until all are in the file. */
async function writer(): Promise<Record<string, string | number>> {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-bench-'));
  try {
    const filePath = join(folder, 'access.log');
    const log = createLogger(({ message }) => {
      throw new Error(message);
    });
    const access = createAccessLogWriter({ filePath, log });
    const format = createAccessLogFormat({ format: 'common' });
    const request = made(1);
    const buffer = new LineBuffer();
    for (let i = 0; i < 1000; i++) format(buffer, request, request.facts.observation!, OUTCOME, request.facts.startedAt + 2.9, i);
    const together = buffer.take();
    const batches = 500;
    const started = performance.now();
    for (let i = 0; i < batches; i++) {
      access.write(together);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await access.close();
    const ms = performance.now() - started;
    const written = readFileSync(filePath, 'latin1').split('\n').length - 1;
    if (written !== batches * 1000) throw new Error(`${batches * 1000 - written} lines are lost`);
    return row('the writer alone, nothing lost', (ms * 1000) / written);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
