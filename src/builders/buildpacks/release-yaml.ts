/** Reads what a classic buildpack's `bin/release` prints: of YAML only the two-level form that buildpacks write. */
import { processType } from '../../core/names.ts';
import { BuildFailure } from '../../core/ports/builder.ts';

/** The `default_process_types`; other keys are passed over. Throws BuildFailure `compile` when the text is in another form. */
export function parseReleaseYaml(text: string): Record<string, string> {
  const processes: Record<string, string> = {};
  let section: string | null = null;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/\s+$/, '');
    if (line === '' || line === '---' || line === '...' || /^\s*#/.test(line) || /^(--- )?\{\s*\}$/.test(line))
      continue;
    const top = /^([A-Za-z_][\w-]*):\s*(.*)$/.exec(line);
    if (top !== null) {
      section = top[1] ?? '';
      if (section === 'default_process_types' && !['', '{}', '~', 'null'].includes(top[2] ?? '')) throw malformed();
      continue;
    }
    if (section !== 'default_process_types') continue;
    const [, , plain, value] = /^\s+(?:(["'])?([\w-]+)\1?)\s*:\s+(.+)$/.exec(line) ?? [];
    if (plain === undefined || value === undefined) throw malformed();
    processes[processType(plain)] = scalar(value);
  }
  return processes;
}

function scalar(value: string): string {
  if (value.startsWith('"')) {
    try {
      return String(JSON.parse(value));
    } catch {
      throw malformed();
    }
  }
  if (value.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(value)) throw malformed();
    return value.slice(1, -1).replaceAll("''", "'");
  }
  if (/^[[{|>&*!%@`]/.test(value)) throw malformed();
  return value.replace(/\s+#.*$/, '');
}

function malformed(): BuildFailure {
  return new BuildFailure(
    'compile',
    "the buildpack's bin/release printed something other than plain default_process_types",
  );
}
