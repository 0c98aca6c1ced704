import { Hono } from 'hono';
import { encode } from '../base/encode.ts';
import type { Schema } from '../base/schema.ts';
import { httpRouter, httpService, middleware } from '../config/dynamic.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../config/runtime.ts';
import type { StaticConfiguration } from '../config/static.ts';

export interface ApiOptions {
  readonly runtime: () => RuntimeConfiguration;
  readonly configuration: StaticConfiguration;
}

/** Traefik's API, as far as it goes: the raw data of what is in force. Secrets print as `***`. */
export function createApi({ runtime, configuration }: ApiOptions): Hono {
  const app = new Hono();
  app.get('/api/rawdata', (context) => {
    const { http } = runtime();
    return context.json({
      routers: list(httpRouter, http.routers),
      services: list(httpService, http.services),
      middlewares: list(middleware, http.middlewares),
    });
  });
  app.get('/api/entrypoints', (context) =>
    context.json(Object.entries(configuration.entryPoints ?? {}).map(([name, { address }]) => ({ name, address }))),
  );
  return app;
}

function list(schema: Schema, objects: Readonly<Record<string, RuntimeObject<unknown>>>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, { config, status, errors, using, usedBy }] of Object.entries(objects)) {
    result[name] = {
      ...(encode(schema, config, () => '***') as object),
      status,
      ...(errors.length > 0 && { error: errors }),
      using,
      usedBy,
    };
  }
  return result;
}
