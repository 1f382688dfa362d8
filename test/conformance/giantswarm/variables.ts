/** What the platform's command line does to a definition's text before it is sent: `$name` becomes a value. */
import { readFileSync } from 'node:fs';

/** Every `$name` with a value is replaced, wherever it stands; names are as long as they can be, so `$domain_name` is not `$domain`. */
export const substitute = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replaceAll(/\$([A-Za-z_][A-Za-z0-9_]*)/g, (whole, name: string) => String(values[name] ?? whole));

/** The text of a sample, as somebody wrote it. */
export const sample = (name: string): string => readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8');
