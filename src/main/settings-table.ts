import { definitions } from './settings.ts';

/** The settings as the Markdown table of docs/operate/settings.md. */
export function settingsTable(): string {
  const rows = Object.values(definitions).map(({ name, fallback, about, ...rest }) => {
    const shown =
      'shown' in rest && typeof rest.shown === 'string'
        ? rest.shown
        : fallback === null
          ? ''
          : `\`${String(fallback)}\``;
    return `| \`${name}\` | ${shown} | ${about.replaceAll('|', '\\|')} |`;
  });
  return ['| setting | default | |', '|---|---|---|', ...rows, ''].join('\n');
}
