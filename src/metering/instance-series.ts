/**
 * The samples of one instance: every sample of the last ten minutes, and one row a minute for a day. A minute keeps the highest memory and
 * process count (a peak is what kills an instance) and the mean of the rates.
 */
import type { InstanceStats } from '../core/ports/engine.ts';
import {
  type InstanceMetric,
  instanceMetrics,
  type MetricSeries,
  type MetricSnapshot,
} from '../core/ports/metric-store.ts';
import { Ring } from './ring.ts';

const minuteMs = 60_000;
const dayRows = 1440;
const isRate = instanceMetrics.map((metric) => metric === 'cpuCores' || metric.endsWith('PerSecond'));

export interface Resolution {
  readonly stepMs: number;
  readonly rows: number;
}

export class InstanceSeries {
  readonly appId: string;
  readonly instance: string;
  readonly process: string;
  readonly #fine: Ring;
  readonly #fineStepMs: number;
  readonly #fineSpanMs: number;
  readonly #coarse = new Ring(instanceMetrics.length, dayRows);
  #last: { readonly stats: InstanceStats; readonly row: readonly number[] } | null = null;
  #minute: { begin: number; readonly rows: (readonly number[])[] } = { begin: 0, rows: [] };

  constructor(appId: string, instance: string, process: string, fine: Resolution) {
    this.appId = appId;
    this.instance = instance;
    this.process = process;
    this.#fine = new Ring(instanceMetrics.length, fine.rows);
    this.#fineStepMs = fine.stepMs;
    this.#fineSpanMs = fine.stepMs * fine.rows;
  }

  /** Milliseconds of the newest sample; 0 before the first. */
  get lastAt(): number {
    return this.#last?.stats.at.getTime() ?? 0;
  }

  /** Adds a sample; one that is not newer than the last is ignored. */
  add(stats: InstanceStats): void {
    const at = stats.at.getTime();
    if (at <= this.lastAt) return;
    const row = rowOf(stats, this.#last?.stats ?? null);
    this.#last = { stats, row };
    this.#fine.push(at, row);
    const begin = at - (at % minuteMs);
    if (begin !== this.#minute.begin) {
      if (this.#minute.rows.length > 0) this.#coarse.push(this.#minute.begin, summaryOf(this.#minute.rows));
      this.#minute = { begin, rows: [] };
    }
    this.#minute.rows.push(row);
  }

  /** The points of a metric: fine ones when the range begins within the last ten minutes, otherwise one a minute. */
  read(metric: InstanceMetric, from: number, to: number): MetricSeries {
    const column = instanceMetrics.indexOf(metric);
    const fine = from >= this.lastAt - this.#fineSpanMs;
    const points = fine ? this.#fine.read(column, from, to) : this.#coarse.read(column, from, to);
    const current = summaryOf(this.#minute.rows)[column] ?? Number.NaN;
    if (!fine && this.#minute.begin >= from && this.#minute.begin <= to && !Number.isNaN(current)) {
      points.push({ at: this.#minute.begin, value: current });
    }
    return {
      instance: this.instance,
      process: this.process,
      stepMs: fine ? this.#fineStepMs : minuteMs,
      points: points.map(({ at, value }) => ({ at: new Date(at), value })),
    };
  }

  /** The newest sample; null before the first. */
  latest(): MetricSnapshot | null {
    if (this.#last === null) return null;
    const { stats, row } = this.#last;
    const memory = instanceMetrics.indexOf('memoryUsageBytes');
    const all = [...this.#coarse.read(memory, 0, Infinity), ...this.#fine.read(memory, 0, Infinity)];
    const known = (index: number): number | null => {
      const value = row[index] ?? Number.NaN;
      return Number.isNaN(value) ? null : value;
    };
    return {
      instance: this.instance,
      process: this.process,
      at: stats.at,
      memoryLimitBytes: stats.memory.limitBytes,
      memoryPeakBytes: all.reduce((peak, { value }) => Math.max(peak, value), 0),
      values: Object.fromEntries(
        instanceMetrics.map((metric, index) => [metric, known(index)]),
      ) as MetricSnapshot['values'],
    };
  }
}

/** A sample as numbers in the order of `instanceMetrics`. Rates need the sample before and counters that did not begin again. */
function rowOf(stats: InstanceStats, before: InstanceStats | null): number[] {
  const seconds = before === null ? Number.NaN : (stats.at.getTime() - before.at.getTime()) / 1000;
  const rate = (now: number | undefined, then: number | undefined): number =>
    now === undefined || then === undefined || now < then ? Number.NaN : (now - then) / seconds;
  const cpuSeconds = (of: InstanceStats): number => of.cpu.userSeconds + of.cpu.systemSeconds;
  return [
    stats.memory.usageBytes,
    stats.memory.residentBytes,
    stats.memory.cacheBytes,
    rate(cpuSeconds(stats), before === null ? undefined : cpuSeconds(before)),
    stats.pids,
    rate(stats.network?.receivedBytes, before?.network?.receivedBytes),
    rate(stats.network?.sentBytes, before?.network?.sentBytes),
  ];
}

function summaryOf(rows: readonly (readonly number[])[]): number[] {
  return instanceMetrics.map((_, column) => {
    const values = rows.map((row) => row[column] ?? Number.NaN).filter((value) => !Number.isNaN(value));
    if (values.length === 0) return Number.NaN;
    return isRate[column] === true
      ? values.reduce((sum, value) => sum + value, 0) / values.length
      : Math.max(...values);
  });
}
