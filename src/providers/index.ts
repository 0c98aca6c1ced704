import { dockerProvider } from './docker.ts';
import { fileProvider } from './file.ts';
import { httpProvider } from './http.ts';
import type { ProviderDefinition } from './provider.ts';
import { restProvider } from './rest.ts';
import { swarmProvider } from './swarm.ts';

/** The catalogue of providers. A new one is its file, a line here, its options in config/static, and a test file. */
export const PROVIDERS: readonly ProviderDefinition[] = [
  fileProvider,
  dockerProvider,
  swarmProvider,
  httpProvider,
  restProvider,
] as unknown as readonly ProviderDefinition[];
