import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Report } from '../commands.ts';

type Point = Report['analytics']['points'][number];

const points: Point[] = [];

export const analyticsReport = (): Report['analytics'] => ({ points });

/** Keeps what the real dataset would, and has its limits. miniflare's own forgets every point. */
export class AnalyticsDouble extends WorkerEntrypoint {
  writeDataPoint(point: Point): void {
    const index = point.indexes?.[0] ?? '';
    if ((point.indexes?.length ?? 0) > 1 || new TextEncoder().encode(index).length > 96) throw new Error('the index is too long');
    if ((point.blobs?.length ?? 0) > 20 || (point.doubles?.length ?? 0) > 20) throw new Error('too many values');
    points.push(point);
  }
}
