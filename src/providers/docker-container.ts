import { isIP } from 'node:net';

/** A container or a task as the configuration is made of it: what the engine said, checked and cut down. */
export interface DiscoveredContainer {
  readonly id: string;
  /** Container: its name without the slash. Task: `service.slot`, or `service.task` of a global service. */
  readonly name: string;
  /** Name of the Swarm service; the container's name else. */
  readonly serviceName: string;
  /** `running`, `exited` …; empty when nobody says (tasks). */
  readonly status: string;
  /** `healthy`, `starting`, `unhealthy`; empty without a health check. */
  readonly health: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `bridge`, `host`, `container:<id or name>` or the name of a network. */
  readonly networkMode: string;
  readonly ports: readonly ExposedPort[];
  /** By name. The address is empty where there is none. */
  readonly networks: ReadonlyMap<string, ContainerNetwork>;
  /** The signals that stop it, as numbers. */
  readonly stopSignals: ReadonlySet<number>;
  /** It is stopping: nothing new is sent to it. */
  readonly draining?: boolean;
}

export interface ContainerNetwork {
  readonly address: string;
  /** Swarm's ingress network: it leads to no server. */
  readonly ingress?: boolean;
}

export interface ExposedPort {
  readonly port: number;
  readonly protocol: string;
  readonly bindings: readonly { readonly address: string; readonly port: string }[];
}

/** Signals that mean "stop" to nearly every process: INT, QUIT, KILL, TERM. */
const STOPPING = [2, 3, 9, 15];
export const DEFAULT_STOP_SIGNALS: ReadonlySet<number> = new Set(STOPPING);

/** SIGWINCH, SIGRTMIN+3 and the like, as images declare them; numbers of Linux. */
const SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  TERM: 15,
  CONT: 18,
  WINCH: 28,
  PWR: 30,
  RTMIN: 34,
};

export type Json = Readonly<Record<string, unknown>>;
export const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
export const asJson = (value: unknown): Json => (isJson(value) ? value : {});
export const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Reads the answer of `/containers/<id>/json`; undefined when it is none of a container. */
export function readContainer(answer: unknown): DiscoveredContainer | undefined {
  const container = asJson(answer);
  const id = asText(container.Id);
  const name = asText(container.Name).replace(/^\//, '');
  if (id === '' || name === '' || !isJson(container.State)) return undefined;
  const config = asJson(container.Config);
  const settings = asJson(container.NetworkSettings);
  return {
    id,
    name,
    serviceName: name,
    status: asText(container.State.Status),
    health: readHealth(container.State.Health),
    labels: readLabels(config.Labels),
    networkMode: asText(asJson(container.HostConfig).NetworkMode),
    ports: readPorts(settings.Ports),
    networks: readNetworks(settings.Networks),
    stopSignals: readStopSignals(config.StopSignal),
  };
}

/** `none` is what some engines say instead of nothing: the container has no health check. */
function readHealth(health: unknown): string {
  const status = asText(asJson(health).Status);
  return status === 'none' ? '' : status;
}

export function readLabels(labels: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(asJson(labels)).filter((label): label is [string, string] => typeof label[1] === 'string'));
}

/** `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}` */
function readPorts(ports: unknown): ExposedPort[] {
  const result: ExposedPort[] = [];
  for (const [key, bindings] of Object.entries(asJson(ports))) {
    const match = /^(\d{1,5})(?:\/(\w+))?$/.exec(key);
    if (match === null) continue;
    result.push({
      port: Number(match[1]),
      protocol: match[2] ?? 'tcp',
      bindings: asList(bindings).map((binding) => ({ address: asText(asJson(binding).HostIp), port: asText(asJson(binding).HostPort) })),
    });
  }
  return result.sort((a, b) => a.port - b.port);
}

/** IPv4 before IPv6. A text that is no address counts as none: one odd network must not hide the others. */
function readNetworks(networks: unknown): Map<string, ContainerNetwork> {
  return new Map(
    Object.entries(asJson(networks)).map(([name, network]) => {
      const candidates = [asText(asJson(network).IPAddress), asText(asJson(network).GlobalIPv6Address)];
      return [name, { address: candidates.find((address) => isIP(address) !== 0) ?? '' }];
    }),
  );
}

/** `SIGWINCH`, `WINCH`, `28`, `SIGRTMIN+3` */
export function readStopSignals(declared: unknown): ReadonlySet<number> {
  const number = signalNumber(asText(declared));
  return number === undefined ? DEFAULT_STOP_SIGNALS : new Set([...STOPPING, number]);
}

export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const match = /^(?:SIG)?([A-Z]+\d?)(?:\+(\d+))?$/.exec(text.toUpperCase());
  const base = SIGNALS[match?.[1] ?? ''];
  return base === undefined ? undefined : base + Number(match![2] ?? 0);
}
