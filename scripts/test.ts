import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from './check.ts';
import { installServers } from './servers.ts';

/**
 * `npm test`: the static nets, then every suite. With CI=true or EDGEWAY_TEST_INSTALL=1, as root on Debian, the servers that suites need
 * are installed first; elsewhere suites without their server are skipped and named. The last line is `N passed, N failed, N skipped`.
 */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

const args = process.argv.slice(2);
await installServers();
const checked = args.length > 0 || (await check());
const report = join(tmpdir(), `edgeway-test-${process.pid}.json`);
const code = await new Promise<number>((resolve) => {
  const child = spawn('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args], {
    stdio: 'inherit',
  });
  child.on('close', (status) => resolve(status ?? 1));
});
const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, success } = JSON.parse(
  readFileSync(report, 'utf8'),
) as VitestReport;
// A net counts as a test, and so does a suite that could not even be loaded.
const failed = numFailedTests + (checked ? 0 : 1) + (numFailedTests === 0 && !success ? Math.max(1, numFailedTestSuites) : 0);
console.log(`${numPassedTests + (checked ? 1 : 0)} passed, ${failed} failed, ${numPendingTests} skipped`);
process.exitCode = failed > 0 || code !== 0 ? 1 : 0;
