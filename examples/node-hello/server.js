// Answers on $PORT; on SIGTERM it ends the requests in flight and takes no new ones.
const http = require('node:http');
const os = require('node:os');

const greeting = process.env.GREETING || 'Hello from Berth';
const instance = process.env.BERTH_INSTANCE_ID || os.hostname();
const looksSecret = /secret|token|password|passwd|key|credential|auth|url|dsn/i;

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://app.invalid');
  const send = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  };
  if (url.pathname === '/') return send(200, { greeting, instance });
  if (url.pathname === '/health') return send(200, { ok: true });
  if (url.pathname === '/slow') {
    const ms = Math.min(Math.max(Number(url.searchParams.get('ms')) || 1000, 0), 30000);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return send(200, { sleptMs: ms, instance });
  }
  if (url.pathname === '/env') {
    // Names always; a value only when its name does not look like a secret's.
    const entries = Object.entries(process.env).map(([name, value]) => [name, looksSecret.test(name) ? '[hidden]' : value]);
    return send(200, Object.fromEntries(entries.sort()));
  }
  return send(404, { error: 'not found' });
});

process.on('SIGTERM', () => {
  console.log('SIGTERM: finishing the requests in flight');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

server.listen(process.env.PORT || 3000, () => console.log(`listening on port ${server.address().port}`));
