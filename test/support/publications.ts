import type { CompileInput } from '../../src/config/compile.ts';
import { type EdgeScheme, fold } from '../../src/config/fold.ts';
import { formatPublication, joinObjects, type PublicationObjects, parseShard } from '../../src/config/publication.ts';
import { parseSealKeys } from '../../src/config/seal.ts';
import { createSealer, sealObjects } from '../../src/kv-sync/seal.ts';
import { runtimeOf } from './runtime.ts';

export const SEAL_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const ENTRY_POINTS: Record<string, EdgeScheme> = { web: 'http', websecure: 'https' };

/** One router for a host, and its service. */
export const oneRouter = (host = 'a.test', name = 'app'): string => `
http:
  routers: { ${name}: { rule: "Host(\`${host}\`)", service: ${name} } }
  services: { ${name}: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
`;

/** Routers `r0`, `r1` … with long rules: 700 of them are too large for the pointer. */
export const manyRouters = (count: number): string => `
http:
  routers:
${Array.from({ length: count }, (_, i) => `    r${i}: { rule: "Host(\`host-${i}.example.com\`) && PathPrefix(\`/${'x'.repeat(200)}\`)", service: s }`).join('\n')}
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
`;

/** What a publisher says of the YAML of one provider, sealed. `agent: false` is kv-sync without an agent. */
export async function objectsOf(yaml: string | Record<string, string>, { agent = true, weight = 1 } = {}): Promise<PublicationObjects> {
  const { objects } = fold(runtimeOf(yaml), { entryPoints: ENTRY_POINTS, ...(agent && { agent: { weight } }) });
  const [key] = await parseSealKeys(SEAL_KEY);
  return sealObjects(objects, createSealer(key!));
}

/** The same as the hub has it: shards that went through their texts. */
export async function inputOf(
  publisher: string,
  yaml: string | Record<string, string>,
  { agent = true, weight = 1, changedAt = () => 1 }: { agent?: boolean; weight?: number; changedAt?: CompileInput['changedAt'] } = {},
): Promise<CompileInput> {
  const objects = await objectsOf(yaml, { agent, weight });
  const { texts } = await formatPublication(objects, { publisher, revision: 1, forgetAfterMs: 0 });
  const shards = [...texts.values()].map(parseShard);
  if (Object.keys(joinObjects(shards).routers).length !== Object.keys(objects.routers).length) throw new Error('shards lost routers');
  return { publisher, ...(agent && { link: { type: 'https' as const, address: `https://${publisher}.example.com` } }), shards, changedAt };
}
