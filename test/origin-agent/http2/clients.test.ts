import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HeaderList } from '../../../src/base/message.ts';
import { type Http2TestServer, listenHttp2 } from '../../support/http2-server.ts';
import { findServer } from '../../support/servers.ts';

const run = promisify(execFile);
const curl = findServer('curl');
const h2load = findServer('h2load');
const folder = mkdtempSync(join(tmpdir(), 'edgeway-http2-'));
const upload = join(folder, 'upload');
let server: Http2TestServer;

beforeAll(async () => {
  writeFileSync(upload, Buffer.alloc(2_000_000, 'x'));
  server = await listenHttp2(async (request) => ({
    status: 200,
    headers: new HeaderList(['X-Method', request.method]),
    body: request.body,
  }));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(curl === undefined)('curl', () => {
  const ask = async (...args: string[]): Promise<string> =>
    (await run(curl!, ['-s', '-m', '5', '--http2-prior-knowledge', ...args, `http://127.0.0.1:${server.port}/`], { maxBuffer: 4e6 }))
      .stdout;

  it.each([
    ['GET', [], '2 200 0'],
    ['HEAD', ['-I'], '2 200 0'],
    ['POST', ['-d', 'hello'], 'hello2 200 5'],
    ['PUT with Expect', ['-T', upload, '-H', 'Expect: 100-continue', '-o', '/dev/null'], '2 200 2000000'],
  ])('%s', async (_name, args, expected) => {
    const text = await ask(...args, '-w', '%{http_version} %{response_code} %{size_download}');
    expect(text.endsWith(expected)).toBe(true);
  });
});

describe.skipIf(h2load === undefined)('h2load', () => {
  it('gets 1,000 answers by 4 connections with 50 streams each', async () => {
    const { stdout } = await run(h2load!, ['-n', '1000', '-c', '4', '-m', '50', `http://127.0.0.1:${server.port}/`]);
    expect(stdout).toContain('1000 succeeded, 0 failed, 0 errored, 0 timeout');
  });

  it('uploads as much as it likes', async () => {
    const { stdout } = await run(h2load!, ['-n', '8', '-c', '2', '-m', '4', '-d', upload, `http://127.0.0.1:${server.port}/`]);
    expect(stdout).toContain('8 succeeded, 0 failed');
  });
});
