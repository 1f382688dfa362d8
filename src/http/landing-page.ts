/** The page at the shared port's root: where the APIs are. Plain HTML without scripts; all values are the platform's own. */

export function landingPage(apis: readonly { readonly name: string; readonly host: string }[], port: string): string {
  const rows = apis
    .map(({ name, host }) => `<li><b>${escapeHtml(name)}</b> <code>http://${escapeHtml(host + port)}</code></li>`)
    .join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Berth</title>
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui;margin:10vh auto;max-width:40rem;padding:0 1rem}code{background:#8882;padding:.1em .3em}</style>
</head><body><h1>Berth</h1><p>The platform runs. Its APIs:</p><ul>${rows}</ul>
<p>Health: <a href="/healthz">/healthz</a>. Metrics: <code>/metrics</code>, with an administrator’s token.</p></body></html>`;
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
