import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

/** What each folder of src may import besides its own files: DESIGN, section 1. */
const STOREYS: Record<string, readonly string[]> = {
  base: [],
  middlewares: ['base'],
  config: ['base', 'middlewares'],
  proxy: ['base', 'middlewares', 'config'],
  providers: ['base', 'middlewares', 'config'],
  'kv-sync': ['base', 'middlewares', 'config', 'proxy', 'providers'],
  worker: ['base', 'middlewares', 'config', 'proxy'],
  'origin-agent': ['base', 'middlewares', 'config', 'proxy', 'providers', 'kv-sync'],
  cli: ['base', 'middlewares', 'config', 'proxy', 'providers', 'kv-sync', 'origin-agent'],
};
const folders = Object.keys(STOREYS);
const forbidden = folders.flatMap((from) =>
  folders.filter((to) => to !== from && !STOREYS[from]!.includes(to)).map((to) => [from, to] as const),
);

const planted = (from: string, to: string): string => `src/${from}/planted-${to}.ts`;

/** One run of the linter, with this project's rules, over a file for every pair; gives the files it refused. */
function refused(pairs: readonly (readonly [string, string])[]): Set<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'edgeway-boundary-'));
  try {
    const { vcs: _vcs, files: _files, $schema: _schema, ...rules } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    writeFileSync(join(scratch, 'biome.json'), JSON.stringify({ ...rules, root: true }));
    for (const [from, to] of pairs) {
      mkdirSync(join(scratch, 'src', from), { recursive: true });
      writeFileSync(join(scratch, planted(from, to)), `import { x } from '../${to}/x.ts';\nexport const y = x;\n`);
    }
    const args = ['lint', '--reporter=json', '--max-diagnostics=none', '--only=style/noRestrictedImports', 'src'];
    const { stdout } = spawnSync(bin('biome'), args, { cwd: scratch, encoding: 'utf8', maxBuffer: 2 ** 26 });
    return new Set(stdout.match(/src\/[a-z-]+\/planted-[a-z-]+\.ts/g));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

describe('a file imports from its own folder or from a storey below', () => {
  const allowed = folders.flatMap((from) => STOREYS[from]!.map((to) => [from, to] as const));
  const found = refused([...forbidden, ...allowed]);

  it.each(forbidden)('src/%s must not import src/%s', (from, to) => {
    expect(found).toContain(planted(from, to));
  });

  it.each(allowed)('src/%s may import src/%s', (from, to) => {
    expect(found).not.toContain(planted(from, to));
  });
});

describe('the four lower folders see web standards only', () => {
  it.each(['base', 'middlewares', 'config', 'proxy'])('src/%s does not know Node', (folder) => {
    mkdirSync(join(root, '.edgeway'), { recursive: true });
    const scratch = mkdtempSync(join(root, '.edgeway', 'boundary-'));
    try {
      writeFileSync(
        join(scratch, 'planted.ts'),
        "import { readFileSync } from 'node:fs';\nexport const text = readFileSync('x').toString() + process.pid;\n",
      );
      const extended = join(root, 'src', folder, 'tsconfig.json');
      writeFileSync(
        join(scratch, 'tsconfig.json'),
        JSON.stringify({ extends: extended, compilerOptions: { outDir: './out', rootDir: '.' }, include: ['planted.ts'], references: [] }),
      );
      const { status, stdout } = spawnSync(bin('tsc'), ['-p', scratch], { cwd: scratch, encoding: 'utf8' });
      expect(status).not.toBe(0);
      expect(stdout).toContain("'node:fs'");
      expect(stdout).toContain("'process'");
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});
