/** `idle.ts PORT COUNT`: opens connections on which nothing more happens, then prints how many. */
import { once } from 'node:events';
import net from 'node:net';

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const sockets: net.Socket[] = [];
for (let i = 0; i < count; i++) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  sockets.push(socket);
}
console.log(sockets.length);
setInterval(() => {}, 3_600_000);
