import { jsonAnswer, refusal } from './answers.ts';

/** What a list is searched and sorted by, beside what is shown. */
export interface Listed {
  readonly shown: Readonly<Record<string, unknown>>;
  readonly name: string;
  readonly status: string;
  /** Texts that `search` looks into. */
  readonly searched: readonly string[];
  readonly service?: string;
  readonly middlewares?: readonly string[];
  /** By value of `sortBy`; the name is always one. */
  readonly order: Readonly<Record<string, string | number | bigint>>;
}

const PER_PAGE = 100;

/** One page of a list as `search`, `status`, `serviceName`, `middlewareName`, `sortBy`, `direction`, `page` and `per_page` say. */
export function listAnswer(all: readonly Listed[], query: URLSearchParams): Response {
  const kept = all.filter(createFilter(query)).sort(createOrder(query));
  const perPage = positive(query, 'per_page', PER_PAGE);
  if (typeof perPage === 'string') return refusal(400, perPage);
  const page = positive(query, 'page', 1);
  if (typeof page === 'string') return refusal(400, page);
  const start = (page - 1) * perPage;
  if (start !== 0 && start >= kept.length) return refusal(400, `invalid request: page: ${page}, per_page: ${perPage}`);
  const next = page * perPage < kept.length ? page + 1 : 1;
  return jsonAnswer(
    kept.slice(start, start + perPage).map(({ shown }) => shown),
    { 'X-Next-Page': String(next) },
  );
}

function createFilter(query: URLSearchParams): (item: Listed) => boolean {
  const search = (query.get('search') ?? '').toLowerCase();
  const status = (query.get('status') ?? '').toLowerCase();
  const serviceName = query.get('serviceName') ?? '';
  const middlewareName = query.get('middlewareName') ?? '';
  return (item) =>
    (status === '' || item.status === status) &&
    (search === '' || item.searched.some((text) => text.toLowerCase().includes(search))) &&
    (serviceName === '' || item.service === undefined || meansService(item.service, serviceName)) &&
    (middlewareName === '' || item.middlewares === undefined || item.middlewares.includes(middlewareName));
}

/** A bare reference means the service of any provider. */
const meansService = (reference: string, wanted: string): boolean =>
  reference === (reference.includes('@') ? wanted : wanted.split('@', 1)[0]);

function createOrder(query: URLSearchParams): (a: Listed, b: Listed) => number {
  const sortBy = query.get('sortBy') ?? '';
  const sign = (query.get('direction') || 'asc') === 'asc' ? 1 : -1;
  return (a, b) => sign * (compare(a.order[sortBy], b.order[sortBy]) || compare(a.name, b.name));
}

function compare(a: string | number | bigint | undefined, b: string | number | bigint | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The number, or what is wrong with it. */
function positive(query: URLSearchParams, key: string, normal: number): number | string {
  const text = query.get(key) ?? '';
  if (text === '') return normal;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : 0;
  return value > 0 ? value : `invalid request: ${key}: ${value}`;
}
