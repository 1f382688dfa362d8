const http = require('node:http');

const server = http.createServer((_request, response) => response.end('web\n'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
server.listen(process.env.PORT || 3000, () => console.log('web is listening'));
