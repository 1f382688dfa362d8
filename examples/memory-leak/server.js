// Serves at once, then keeps LEAK_MEGABYTES_PER_SECOND more each second.
const http = require('node:http');

const perSecond = Number(process.env.LEAK_MEGABYTES_PER_SECOND) || 50;
const kept = [];

http.createServer((_request, response) => response.end(`${kept.length} MB kept\n`)).listen(process.env.PORT || 3000, () => {
  console.log('listening, and leaking');
  setInterval(() => {
    for (let count = 0; count < perSecond / 10; count += 1) kept.push(Buffer.alloc(1024 * 1024, 1));
  }, 100);
});
