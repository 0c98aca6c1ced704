import { connect, createServer } from 'node:net';

/**
 * `long-client.ts VIA PORT`: an echo server at PORT and one connection to it through VIA, over which numbered lines go back and forth
 * until a message comes. Says `echoed` after the first, `whole` when all came back and both sides ended well, `closed` otherwise.
 */
const [via, port] = process.argv.slice(2).map(Number) as [number, number];
const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket).on('error', () => {}));
await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
let sent = '';
let came = '';
let stopping = false;
const client = connect({ host: '127.0.0.1', port: via, allowHalfOpen: true });
const timer = setInterval(() => {
  const line = `${sent.length}\n`;
  sent += line;
  client.write(line);
}, 20);
client.on('data', (bytes: Buffer) => {
  if (came === '') console.log('echoed');
  came += bytes.toString();
});
client.on('error', (error) => console.log('closed', error.message));
client.on('end', () => {
  console.log(stopping && came === sent ? 'whole' : `closed after ${came.length} of ${sent.length}`);
  server.close();
  process.disconnect();
});
process.once('message', () => {
  stopping = true;
  clearInterval(timer);
  client.end();
});
