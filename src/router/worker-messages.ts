/** What the router's primary process and its workers say to each other over their channel. Access lines go another way, see access-log.ts. */
import type { RoutingTable } from '../core/ports/router.ts';
import type { CountersByApp } from './counters.ts';
import type { RouterLimits } from './limits.ts';

export type ToWorker =
  | {
      readonly kind: 'init';
      readonly limits: RouterLimits;
      readonly trustedProxies: readonly string[];
      readonly table: RoutingTable | null;
      readonly secure: boolean;
    }
  | { readonly kind: 'table'; readonly request: number; readonly table: RoutingTable }
  | {
      readonly kind: 'drain';
      readonly request: number;
      readonly targetIds: readonly string[];
      readonly timeoutMs: number;
    }
  | { readonly kind: 'counters'; readonly request: number }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'applied'; readonly request: number }
  | { readonly kind: 'drained'; readonly request: number; readonly leftInFlight: number }
  | { readonly kind: 'counters'; readonly request: number; readonly counters: CountersByApp }
  /** Now and then unasked, so that little is lost when a worker is killed. */
  | { readonly kind: 'report'; readonly counters: CountersByApp }
  | { readonly kind: 'bad-certificate'; readonly hosts: readonly string[]; readonly reason: string };

/** File descriptors that a worker finds open: its channel is 3. */
export const accessLogFd = 4;
export const httpFd = 5;
export const httpsFd = 6;
