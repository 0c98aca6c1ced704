/**
 * Who must act decides the class. Codes are one closed union, each with its sentence; log lines, API and `check` print them.
 */
export const ERROR_CODES = {
  // The operator must act.
  'config.syntax': 'The text is not valid YAML, TOML, JSON, or template.',
  'config.unknown-option': 'No option of this name exists here.',
  'config.bad-value': 'The value does not have the form that the option wants.',
  'config.missing': 'A required option or object is missing.',
  'config.conflict': 'Two options or objects exclude each other.',
  'config.rule': 'The rule cannot be parsed.',
  'config.reference': 'The named object does not exist.',
  'config.cycle': 'Objects refer to each other in a circle.',
  'config.unsupported': 'Nobody implements this word yet.',
  'config.removed': 'The option was removed from the language.',
  'config.limit': 'A limit of this program is exceeded.',
  'config.io': 'A file or address named in the configuration cannot be used.',
  // The server behind us failed.
  'upstream.refused': 'The server refused the connection or reset it before answering.',
  'upstream.timeout': 'The server did not answer in time.',
  'upstream.closed': 'The server closed the connection before the answer was complete.',
  'upstream.malformed': 'The server sent something that is no HTTP answer.',
  'upstream.tls': 'The TLS handshake with the server failed.',
  'upstream.unavailable': 'No server is available.',
  'upstream.aborted': 'The client went away.',
  // The client sent something wrong.
  'client.malformed': 'The request is malformed.',
  'client.too-large': 'The request is larger than allowed.',
  'client.timeout': 'The request was not complete in time.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
type CodeOf<Side extends string> = Extract<ErrorCode, `${Side}.${string}`>;

/** Where in the operator's text: any part may be unknown. */
export interface Place {
  /** File, label source or store key. */
  readonly source?: string;
  /** 1-based. */
  readonly line?: number;
  /** The object, as `http.routers.blog`. */
  readonly object?: string;
}

/** The operator must act. The message names the object, shows the value and says what to write instead. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: CodeOf<'config'>;
  readonly place: Place;
  constructor(code: CodeOf<'config'>, message: string, place: Place = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.place = place;
  }
}

/**
 * A server behind us failed. `sent` tells whether any byte of the request reached it; without, its body is untouched too and any
 * method may be tried again.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code: CodeOf<'upstream'>;
  readonly sent: boolean;
  constructor(code: CodeOf<'upstream'>, message: string, { sent = true, cause }: { sent?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.code = code;
    this.sent = sent;
  }
}

/** The client sent something wrong; `status` is what it is told. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: CodeOf<'client'>;
  readonly status: number;
  constructor(code: CodeOf<'client'>, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** `http.routers.blog (dynamic.yml:12): message`: the one form in which a configuration error is printed. */
export function describe(error: unknown): string {
  if (!(error instanceof ConfigError)) return error instanceof Error ? error.message : String(error);
  const { source, line, object } = error.place;
  const file = source === undefined ? '' : line === undefined ? source : `${source}:${line}`;
  const where = object === undefined ? file : file === '' ? object : `${object} (${file})`;
  return where === '' ? error.message : `${where}: ${error.message}`;
}

/** The candidate nearest to `word` by edit distance, for "did you mean"; undefined when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
