/** The peer of the API bench: node:http with one prepared point select, and nothing else. Arguments: the connection as JSON, a handle. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

const [connection = '{}', handle = ''] = process.argv.slice(2);
const pool = new pg.Pool({ ...JSON.parse(connection), max: 10 });
const select = { name: 'app', text: 'select * from apps where handle = $1', values: [handle] };

const server = createServer((_request, response) => {
  pool.query(select).then(
    ({ rows }) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(rows[0]));
    },
    () => {
      response.statusCode = 500;
      response.end();
    },
  );
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
