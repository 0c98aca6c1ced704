import { describe, expect, it } from 'vitest';
import { parseHubUrl } from '../../src/kv-sync/hub-url.ts';

describe('parseHubUrl', () => {
  it.each([
    ['https://edge.example.com', 'https://edge.example.com'],
    ['https://Edge.Example.com//', 'https://edge.example.com'],
    ['https://edge.example.com:8443/x', 'https://edge.example.com:8443'],
    ['http://localhost:8787', 'http://localhost:8787'],
    ['http://127.0.0.1:8787/', 'http://127.0.0.1:8787'],
    ['http://[::1]:8787', 'http://[::1]:8787'],
  ])('takes %s', (text, origin) => expect(parseHubUrl(text)).toBe(origin));

  it.each([
    ['edge.example.com', 'is no URL'],
    ['http://edge.example.com', 'write https://edge.example.com'],
    ['http://127.0.0.1.example.com', 'would show keys'],
    ['ftp://localhost', 'would show keys'],
  ])('refuses %s', (text, message) => expect(() => parseHubUrl(text)).toThrow(message));
});
