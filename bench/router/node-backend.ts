/** The backend where nginx is missing: 1 KB from node:http. Argument: port. */
import { createServer } from 'node:http';

const body = 'x'.repeat(1024);
createServer((_request, response) => {
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1', 1024);
