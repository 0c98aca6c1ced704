import { request } from 'node:http';

/** Something to try while the demo runs: a request that is sent so often, and what its answers must hold. */
export interface Try {
  readonly title: string;
  readonly url: string;
  readonly host?: string;
  readonly times?: number;
  /** curl's options beside the host. */
  readonly options?: string;
  /** Texts that must be among the answers, heads included. */
  readonly expect: readonly string[];
}

export interface DevAddresses {
  readonly edge: string;
  readonly agent: string;
  readonly api: string;
}

export const tries = ({ edge, agent, api }: DevAddresses): readonly Try[] => [
  {
    title: 'through the edge: the chain runs in the Worker',
    url: `${edge}/`,
    host: 'whoami.localhost',
    options: '-i',
    expect: ['X-Greeting: Hello from Edgeway', 'Name: server-'],
  },
  {
    title: "through the agent's own entry point",
    url: `${agent}/`,
    host: 'whoami.localhost',
    options: '-i',
    expect: ['X-Greeting: Hello from Edgeway', 'Name: server-'],
  },
  {
    title: 'a prefix is taken off',
    url: `${edge}/api/users?page=2`,
    host: 'whoami.localhost',
    expect: ['GET /users?page=2', 'X-Forwarded-Prefix: /api'],
  },
  { title: 'handed over: the agent counts', url: `${edge}/`, host: 'limited.localhost', options: '-i', expect: [' 200 ', 'Name: server-'] },
  {
    title: 'two of three requests go to server-1',
    url: `${edge}/`,
    host: 'whoami.localhost',
    times: 6,
    expect: ['Name: server-1', 'Name: server-2'],
  },
  { title: 'what is in force, as Traefik tells it', url: `${api}/api/rawdata`, expect: ['whoami@file'] },
];

/** The line to copy. */
export function commandLine({ url, host, times = 1, options }: Try): string {
  const curl = ['curl -s', options, host === undefined ? undefined : `-H 'Host: ${host}'`, `'${url}'`]
    .filter((part) => part !== undefined)
    .join(' ');
  return times === 1 ? curl : `for i in $(seq ${times}); do ${curl} | grep Name; done`;
}

/** Sends the requests; resolves with what is missing from the answers, undefined when nothing is. Throws when nothing answers. */
export async function runTry({ url, host, times = 1, expect }: Try): Promise<string | undefined> {
  let answers = '';
  for (let i = 0; i < times; i++) answers += await exchange(url, host);
  const lower = answers.toLowerCase();
  const missing = expect.filter((text) => !lower.includes(text.toLowerCase()));
  return missing.length === 0 ? undefined : `no '${missing.join("', no '")}' in:\n${answers}`;
}

function exchange(url: string, host: string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ...(host !== undefined && { headers: { Host: host } }), agent: false }, (response) => {
      let text = `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}\n`;
      for (let i = 0; i < response.rawHeaders.length; i += 2) text += `${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}\n`;
      response.on('data', (chunk: Buffer) => (text += chunk));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
