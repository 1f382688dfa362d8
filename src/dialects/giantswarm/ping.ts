import type { Route } from './call.ts';

/** Clients compare the body letter by letter: a JSON text without a newline, and no envelope. */
export const pingRoutes = (): readonly Route[] => [
  {
    method: 'GET',
    path: '/v1/ping',
    access: 'public',
    respond: async (_request, reply) => reply.header('content-type', 'application/json').send('"OK"'),
  },
];
