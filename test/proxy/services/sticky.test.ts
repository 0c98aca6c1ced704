import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../../src/base/message.ts';
import { createSticky, defaultCookieName } from '../../../src/proxy/services/sticky.ts';

const plain = { secure: false, httpOnly: false, maxAge: 0, path: '/' };
const cookie = (text: string): HeaderList => HeaderList.from([['Cookie', text]]);

describe('the sticky cookie', () => {
  const urls = ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'];
  const sticky = createSticky({ ...plain, name: 'lb' }, 's@file', urls);

  it('names the child by the start of its SHA-256', () => {
    // printf %s http://127.0.0.1:9001 | sha256sum | cut -c1-16
    expect(sticky.cookieFor(0)).toBe('lb=b52e7b55edbbb02e; Path=/');
    expect(sticky.cookieFor(0)).not.toBe(sticky.cookieFor(1));
  });

  it('finds the child again', () => {
    const value = sticky.cookieFor(1).split(';')[0]!;
    expect(sticky.find(cookie(`a=b; ${value}; c=d`))).toEqual({ index: 1, renew: false });
    expect(sticky.find(cookie(`${value.replace('=', '="')}"`))).toEqual({ index: 1, renew: false });
    expect(sticky.find(cookie('lb=0000000000000000'))).toBeUndefined();
    expect(sticky.find(new HeaderList())).toBeUndefined();
  });

  it('takes the raw name as earlier versions wrote it, to be written anew', () => {
    expect(sticky.find(cookie(`lb=${urls[0]}`))).toEqual({ index: 0, renew: true });
  });

  it.each([
    [
      { secure: true, httpOnly: true, sameSite: 'Strict', maxAge: 60, path: '/p', domain: 'x.test' },
      '; Path=/p; Domain=x.test; Max-Age=60; HttpOnly; Secure; SameSite=Strict',
    ],
    [{ sameSite: 'LAX', maxAge: -1 }, '; Path=/; Max-Age=0; SameSite=Lax'],
    [{ sameSite: 'bogus' }, '; Path=/'],
  ])('writes attributes %j', (config, expected) => {
    expect(
      createSticky({ ...plain, name: 'n', ...config }, 's@file', urls)
        .cookieFor(0)
        .replace(/^n=[0-9a-f]{16}/, ''),
    ).toBe(expected);
  });

  it('keeps only token characters of a name', () => {
    expect(createSticky({ ...plain, name: 'we ird;n=m' }, 's@file', urls).cookieFor(0)).toMatch(/^we_ird_n_m=/);
  });

  it('has a name of its own for each service', () => {
    expect(defaultCookieName('a@file')).toMatch(/^_[0-9a-f]{5}$/);
    expect(defaultCookieName('a@file')).not.toBe(defaultCookieName('b@file'));
  });
});
