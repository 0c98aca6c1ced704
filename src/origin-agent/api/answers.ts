/** Answers in the shapes of Go's net/http, which tools that read Traefik's API expect. */

export function jsonAnswer(value: unknown, headers: Record<string, string> = {}): Response {
  return new Response(`${JSON.stringify(value)}\n`, { headers: { 'Content-Type': 'application/json', ...headers } });
}

export const notFound = (): Response => plainError(404, '404 page not found');

/** A JSON message, labelled as text as Traefik labels it. */
export const refusal = (status: number, message: string): Response => plainError(status, JSON.stringify({ message }));

export function plainError(status: number, text: string): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
  });
}
