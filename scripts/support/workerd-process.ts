import { readdirSync, readFileSync } from 'node:fs';

/** Processes of workerd that this one started; Linux only. */
function workerdPids(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const status = read(`/proc/${pid}/status`);
    return /^Name:\s+workerd$/m.test(status) && /^PPid:\s+(\d+)$/m.exec(status)?.[1] === String(process.pid);
  });
}

/** Most memory that any of them ever had, in MB. */
export const workerdPeakMb = (): number =>
  Math.max(...workerdPids().map((pid) => Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024));

/** Milliseconds of CPU that all their threads used so far. */
export function workerdCpuMs(): number {
  let nanoseconds = 0;
  for (const pid of workerdPids()) {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0);
  }
  return nanoseconds / 1e6;
}

/** Empty when the process has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
