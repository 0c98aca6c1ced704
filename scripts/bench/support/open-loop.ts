/** `open-loop.ts PORT SECONDS RATE`: requests at a fixed rate, each timed from the instant it was due. Prints JSON. */
import http from 'node:http';

const [port, seconds, rate] = process.argv.slice(2).map(Number) as [number, number, number];
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const times: number[] = [];
let failed = 0;
let sent = 0;
const total = seconds * rate;
const begin = performance.now();

function send(due: number): void {
  const request = http.get({ host: '127.0.0.1', port, path: '/1k', agent, headers: { host: 'h9999.test' } }, (response) => {
    response.resume();
    response.once('end', () => done(due, response.statusCode === 200));
  });
  request.once('error', () => done(due, false));
}

function done(due: number, isWell: boolean): void {
  if (!isWell) failed++;
  times.push(performance.now() - begin - due);
  if (times.length < total) return;
  times.sort((a, b) => a - b);
  const at = (share: number): number => Number(times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(2));
  console.log(JSON.stringify({ sent, failed, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1) }));
  process.exit(0);
}

const timer = setInterval(() => {
  for (const now = performance.now() - begin; sent < total && (sent * 1000) / rate <= now; sent++) send((sent * 1000) / rate);
  if (sent === total) clearInterval(timer);
}, 1);
