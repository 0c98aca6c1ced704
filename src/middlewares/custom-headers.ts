import { toByteText } from '../base/bytes.ts';
import type { HeaderList, ProxyRequest } from '../base/message.ts';

export interface CustomHeaderOptions {
  readonly customRequestHeaders?: Readonly<Record<string, string>>;
  readonly customResponseHeaders?: Readonly<Record<string, string>>;
}

export interface CustomHeaders {
  onRequest(request: ProxyRequest): void;
  onResponse(headers: HeaderList): void;
}

/** Fields by name as the operator wrote them; undefined when there are none. */
export function createCustomHeaders(options: CustomHeaderOptions): CustomHeaders | undefined {
  const onRequest = prepare(options.customRequestHeaders);
  const onResponse = prepare(options.customResponseHeaders);
  if (onRequest.length === 0 && onResponse.length === 0) return undefined;
  return {
    onRequest(request) {
      for (const { name, lower, value } of onRequest) {
        if (lower === 'host' && value !== '') request.host = value;
        else apply(request.headers, name, value);
        // Without a value it also stops the proxy from naming the peer.
        if (lower === 'x-forwarded-for') request.omitForwardedFor = value === '';
      }
    },
    onResponse(headers) {
      for (const { name, value } of onResponse) apply(headers, name, value);
    },
  };
}

const prepare = (fields: Readonly<Record<string, string>> = {}): { name: string; lower: string; value: string }[] =>
  Object.entries(fields).map(([name, value]) => ({ name, lower: name.toLowerCase(), value: toByteText(value) }));

function apply(headers: HeaderList, name: string, value: string): void {
  if (value === '') headers.delete(name);
  else headers.set(name, value);
}
