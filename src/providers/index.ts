import { fileProvider } from './file.ts';
import type { ProviderDefinition } from './provider.ts';

/** The catalogue of providers. A new one is its file, a line here, its options in config/static, and a test file. */
export const PROVIDERS: readonly ProviderDefinition[] = [fileProvider as ProviderDefinition];
