/** Parses a Procfile: `type: command` a line. */
import { processType } from '../../core/names.ts';
import { BuildFailure } from '../../core/ports/builder.ts';

/** Process types to commands. Throws BuildFailure `source` with the line's number when a line is malformed. */
export function parseProcfile(text: string): Record<string, string> {
  const processes: Record<string, string> = {};
  for (const [at, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([A-Za-z0-9_-]+)\s*:\s*(.+)$/.exec(line);
    const [, type = '', command = ''] = match ?? [];
    if (match === null || !isProcessType(type)) {
      throw new BuildFailure('source', `Procfile line ${at + 1} must read "type: command"`);
    }
    if (Object.hasOwn(processes, type))
      throw new BuildFailure('source', `Procfile line ${at + 1} declares ${type} again`);
    Object.defineProperty(processes, type, { value: command, enumerable: true });
  }
  if (Object.keys(processes).length === 0) throw new BuildFailure('source', 'the Procfile declares no process');
  return processes;
}

function isProcessType(word: string): boolean {
  try {
    processType(word);
    return true;
  } catch {
    return false;
  }
}
