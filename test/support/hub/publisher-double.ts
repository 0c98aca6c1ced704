import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { createCode } from '../../../src/config/codes.ts';
import { HUB_PATHS, type HubErrorBody, type PublishAnswer } from '../../../src/config/hub-protocol.ts';
import { formatPublication, type PublicationObjects } from '../../../src/config/publication.ts';
import { signToken, type TokenClaims } from '../../../src/config/publisher-token.ts';
import { ADMIN_KEY } from './memory-hub.ts';

export interface Target {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}

/** A publisher that does what it is told, the wrong thing too. */
export interface PublisherDouble {
  readonly name: string;
  readonly key: JWK;
  /** One signed request; `change` forges the token. */
  send(method: string, path: string, body?: unknown, change?: Partial<TokenClaims>): Promise<{ status: number; body: unknown }>;
  /** Publishes, with uploads where the hub asks for them. */
  publish(objects: PublicationObjects, more?: object): Promise<PublishAnswer>;
  ping(down?: readonly string[]): Promise<{ status: number; body: unknown }>;
}

export async function createPublisherDouble(target: Target, name: string): Promise<PublisherDouble> {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  const key = await exportJWK(pair.publicKey);
  let revision = 0;
  let lastTime = 0;

  const send: PublisherDouble['send'] = async (method, path, body, change = {}) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    lastTime = Math.max(lastTime + 0.001, target.now());
    const claims = {
      iss: name,
      method,
      path,
      body: createHash('sha256').update(text).digest('base64url'),
      time: lastTime,
      jti: randomUUID(),
      ...change,
    };
    const init = { method, headers: { Authorization: await signToken(claims, pair.privateKey) }, ...(text !== '' && { body: text }) };
    const response = await target.fetch(target.url + path, init);
    const answer = await response.text();
    return { status: response.status, body: answer.startsWith('{') || answer.startsWith('[') ? JSON.parse(answer) : answer };
  };

  return {
    name,
    key,
    send,
    ping: (down = []) => send('POST', HUB_PATHS.ping, { down }),
    async publish(objects, more = {}) {
      const link = { type: 'https' as const, address: `https://${name}.example.com` };
      const { manifest, texts } = await formatPublication(objects, {
        publisher: name,
        revision: ++revision,
        link,
        forgetAfterMs: 86_400_000,
      });
      for (;;) {
        const { status, body } = await send('PUT', HUB_PATHS.publication, { ...manifest, ...more });
        if (status === 200) return body as PublishAnswer;
        const { code, missing } = body as HubErrorBody;
        if (code !== 'missing') throw Object.assign(new Error((body as HubErrorBody).message), { status, code });
        const upload = await send('POST', HUB_PATHS.shards, Object.fromEntries(missing!.map((hash) => [hash, texts.get(hash)!])));
        if (upload.status !== 200) throw new Error(JSON.stringify(upload.body));
      }
    },
  };
}

/** The same, enrolled. */
export async function enrolled(target: Target, name: string): Promise<PublisherDouble> {
  const publisher = await createPublisherDouble(target, name);
  const code = await createCode(ADMIN_KEY, { purpose: 'enrol', now: target.now(), lifetimeMs: 60_000 });
  const { status, body } = await publisher.send('POST', HUB_PATHS.enrol, { code, name, kind: 'agent', key: publisher.key });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return publisher;
}
