/**
 * The client's side of a BuildKit build: on a connection of its own the daemon asks back, by gRPC, for the secrets that steps mount and
 * for what to sign in with to registries. What is handed over lives in the daemon's memory for as long as the build.
 */
import { randomUUID } from 'node:crypto';
import type { ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import type { RegistryCredentials } from '../../../../core/ports/images.ts';
import type { Environment } from '../../../../core/ports/secret.ts';
import type { DockerApi } from '../../api/docker-api.ts';
import type { BuildKitMessages, Message } from './buildkit-messages.ts';

export interface SessionOffer {
  readonly secrets: Environment;
  readonly credentials: (host: string) => Promise<RegistryCredentials | null>;
}

export interface BuildKitSession {
  /** What the build is told to ask. */
  readonly id: string;
  close(): void;
}

const serving = 1;

/** Rejects with DockerError where the daemon has no such sessions. */
export async function openBuildKitSession(
  api: DockerApi,
  messages: BuildKitMessages,
  offer: SessionOffer,
  signal: AbortSignal,
): Promise<BuildKitSession> {
  const { Server, ServerCredentials } = await import('@grpc/grpc-js');
  const server = new Server();
  for (const [service, answers] of servicesOf(messages, offer)) server.addService(service, answers);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const id = randomUUID();
  const headers = {
    Upgrade: 'h2c',
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'berth',
  };
  try {
    const { socket, head } = await api.upgrade('/session', { headers, signal });
    socket.on('error', () => {});
    if (head.length > 0) socket.unshift(head);
    injector.injectConnection(socket);
    const close = (): void => {
      injector.destroy();
      server.forceShutdown();
      socket.destroy();
    };
    return { id, close };
  } catch (error) {
    server.forceShutdown();
    throw error;
  }
}

type Answers = Parameters<InstanceType<typeof import('@grpc/grpc-js')['Server']>['addService']>[1];

function servicesOf(
  messages: BuildKitMessages,
  { secrets, credentials }: SessionOffer,
): [ServiceDefinition, Answers][] {
  const getSecret = method(
    '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    messages.secretRequest,
    messages.secretResponse,
    async ({ ID }) => {
      const secret = Object.hasOwn(secrets, ID) ? secrets[ID] : undefined;
      if (secret === undefined) throw new Missing(`the app's config has no ${ID}`);
      return { data: Buffer.from(secret.reveal()) };
    },
  );
  const signIn = method(
    '/moby.filesync.v1.Auth/Credentials',
    messages.credentialsRequest,
    messages.credentialsResponse,
    async ({ Host }) => {
      const found = await credentials(Host);
      return { Username: found?.username ?? '', Secret: found?.password.reveal() ?? '' };
    },
  );
  // The daemon ends a session that does not say that it is well.
  const check = method('/grpc.health.v1.Health/Check', messages.healthRequest, messages.healthResponse, async () => ({
    status: serving,
  }));
  return [
    [{ GetSecret: getSecret.definition }, { GetSecret: getSecret.answer }],
    [{ Credentials: signIn.definition }, { Credentials: signIn.answer }],
    [{ Check: check.definition }, { Check: check.answer }],
  ];
}

/** The daemon takes this for `not required` where the Dockerfile does. */
class Missing extends Error {}
const notFoundCode = 5;
const internalCode = 13;

function method<Asked, Answered>(
  path: string,
  asked: Message<Asked>,
  answered: Message<Answered>,
  answer: (request: Asked) => Promise<Answered>,
) {
  return {
    definition: {
      path,
      requestStream: false as const,
      responseStream: false as const,
      requestSerialize: (value: Asked) => asked.write(value),
      requestDeserialize: (bytes: Buffer) => asked.read(bytes),
      responseSerialize: (value: Answered) => answered.write(value),
      responseDeserialize: (bytes: Buffer) => answered.read(bytes),
    },
    answer: ({ request }: ServerUnaryCall<Asked, Answered>, reply: sendUnaryData<Answered>): void => {
      answer(request).then(
        (value) => reply(null, value),
        (error: unknown) =>
          error instanceof Missing
            ? reply({ code: notFoundCode, details: error.message })
            : // Why is not the build's business.
              reply({ code: internalCode, details: 'the platform cannot say now' }),
      );
    },
  };
}
