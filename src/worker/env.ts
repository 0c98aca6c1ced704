/** Bindings, variables and secrets of the Worker, as `wrangler.toml` and `edgeway edge init` set them. */
export interface Env {
  readonly EDGEWAY_KV: KVNamespace;
  /** One object, `HUB_NAME`, is the hub. */
  readonly HUB: DurableObjectNamespace;
  /** The one host of hub and API; any name under workers.dev when absent. */
  readonly EDGEWAY_CONTROL_HOST?: string;
  /** Private Ed25519 JWK with `kid`; signs grants. */
  readonly EDGEWAY_GRANT_KEY?: string;
  /** 32 bytes, base64url; seals secrets in KV. Two with a comma while it is changed, the new one first. */
  readonly EDGEWAY_SEAL_KEY?: string;
  /** Private Ed25519 JWK that agents pin before it takes the place of the other: the change of keys has two steps. */
  readonly EDGEWAY_NEXT_GRANT_KEY?: string;
  /** 32 bytes, base64url; signs enrolment codes and sessions of operators. */
  readonly EDGEWAY_ADMIN_KEY?: string;
  /** Milliseconds for which a configuration is used without asking; 60000 when absent. `edgeway dev` makes it short. */
  readonly EDGEWAY_FRESHNESS_MS?: string;
  /** `true`, or options of Traefik's `accessLog` as JSON: a line on the console for each request. */
  readonly EDGEWAY_ACCESS_LOG?: string;
  /** Gets the numbers of each isolate. */
  readonly EDGEWAY_ANALYTICS?: AnalyticsEngineDataset;
  /** Traefik's levels; INFO when absent. */
  readonly EDGEWAY_LOG_LEVEL?: string;
}
