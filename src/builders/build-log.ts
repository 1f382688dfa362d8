/** What a build tells its owner, in the look that people know from classic buildpacks. Lines keep their order; nothing waits on disk. */
import type { Clock } from '../core/ports/clock.ts';
import type { LogStore } from '../core/ports/log-store.ts';

export interface BuildLog {
  /** `-----> text` */
  step(text: string): void;
  /** An indented line below a step. */
  detail(text: string): void;
  /** ` !     text` */
  warning(text: string): void;
  /** Resolves when all lines so far are with the store. */
  flush(): Promise<void>;
}

/** Control characters would let a file name or setting write over other lines of a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

export function createBuildLog(logs: LogStore, stream: string, clock: Clock): BuildLog {
  let tail: Promise<void> = Promise.resolve();
  const write = (prefix: string, text: string): void => {
    const line = {
      at: clock.now(),
      source: 'build',
      process: '',
      instance: '',
      seat: '',
      text: prefix + printable(text),
    } as const;
    tail = tail.then(() => logs.append(stream, [line]));
    // Shown by `flush`; until then it is nobody's unhandled rejection.
    tail.catch(() => {});
  };
  return {
    step: (text) => write('-----> ', text),
    detail: (text) => write('       ', text),
    warning: (text) => write(' !     ', text),
    flush: () => tail,
  };
}
