import { UpstreamError } from '../base/errors.ts';

/** The failure behind a status with which Cloudflare answers `fetch` when it could not get the server's own answer; undefined for others. */
export function errorOfStatus(status: number): UpstreamError | undefined {
  const message = `Cloudflare answered ${status} in the place of the server`;
  switch (status) {
    case 521:
    case 523:
    case 530:
      return new UpstreamError('upstream.refused', message, { sent: false });
    case 522:
    case 524:
      return new UpstreamError('upstream.timeout', message);
    case 525:
    case 526:
      return new UpstreamError('upstream.tls', message);
    case 520:
    case 527:
      return new UpstreamError('upstream.closed', message);
    default:
      return undefined;
  }
}
