/**
 * The messages of BuildKit that a client of a build needs, as it writes and reads them on the wire: what the session is asked for, and
 * the progress of a build. Fields that nobody here reads are left out. Source: the .proto files of moby/buildkit, API v1.
 */
import type { INamespace, Type } from 'protobufjs';

export interface SecretRequest {
  readonly ID: string;
}
export interface CredentialsRequest {
  readonly Host: string;
}

/** Seconds and nanoseconds since 1970; null: not yet. */
export type Moment = { readonly seconds: number; readonly nanos: number } | null;

export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started: Moment;
  readonly completed: Moment;
  readonly error: string;
}
export interface VertexStatus {
  readonly ID: string;
  readonly vertex: string;
  readonly completed: Moment;
}
export interface VertexLog {
  readonly vertex: string;
  readonly msg: Buffer;
}
export interface Progress {
  readonly vertexes: readonly Vertex[];
  readonly statuses: readonly VertexStatus[];
  readonly logs: readonly VertexLog[];
}

export interface Message<T> {
  /** Throws for bytes that are no such message. */
  read(bytes: Uint8Array): T;
  write(value: T): Buffer;
}

export interface BuildKitMessages {
  readonly secretRequest: Message<SecretRequest>;
  readonly secretResponse: Message<{ readonly data: Uint8Array }>;
  readonly credentialsRequest: Message<CredentialsRequest>;
  readonly credentialsResponse: Message<{ readonly Username: string; readonly Secret: string }>;
  readonly healthRequest: Message<{ readonly service: string }>;
  readonly healthResponse: Message<{ readonly status: number }>;
  readonly progress: Message<Progress>;
}

const moment = { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } };
const described = {
  nested: {
    GetSecretRequest: { fields: { ID: { type: 'string', id: 1 } } },
    GetSecretResponse: { fields: { data: { type: 'bytes', id: 1 } } },
    CredentialsRequest: { fields: { Host: { type: 'string', id: 1 } } },
    CredentialsResponse: { fields: { Username: { type: 'string', id: 1 }, Secret: { type: 'string', id: 2 } } },
    HealthCheckRequest: { fields: { service: { type: 'string', id: 1 } } },
    HealthCheckResponse: { fields: { status: { type: 'int32', id: 1 } } },
    Timestamp: moment,
    Vertex: {
      fields: {
        digest: { type: 'string', id: 1 },
        name: { type: 'string', id: 3 },
        cached: { type: 'bool', id: 4 },
        started: { type: 'Timestamp', id: 5 },
        completed: { type: 'Timestamp', id: 6 },
        error: { type: 'string', id: 7 },
      },
    },
    VertexStatus: {
      fields: {
        ID: { type: 'string', id: 1 },
        vertex: { type: 'string', id: 2 },
        completed: { type: 'Timestamp', id: 8 },
      },
    },
    VertexLog: { fields: { vertex: { type: 'string', id: 1 }, msg: { type: 'bytes', id: 4 } } },
    StatusResponse: {
      fields: {
        vertexes: { rule: 'repeated', type: 'Vertex', id: 1 },
        statuses: { rule: 'repeated', type: 'VertexStatus', id: 2 },
        logs: { rule: 'repeated', type: 'VertexLog', id: 3 },
      },
    },
  },
} as const satisfies INamespace;

/** Loaded with the first build. */
export async function loadBuildKitMessages(): Promise<BuildKitMessages> {
  const { default: protobuf } = await import('protobufjs/light.js');
  const root = protobuf.Root.fromJSON(described);
  const message = <T extends object>(name: keyof typeof described.nested): Message<T> =>
    messageOf<T>(root.lookupType(name));
  return {
    secretRequest: message('GetSecretRequest'),
    secretResponse: message('GetSecretResponse'),
    credentialsRequest: message('CredentialsRequest'),
    credentialsResponse: message('CredentialsResponse'),
    healthRequest: message('HealthCheckRequest'),
    healthResponse: message('HealthCheckResponse'),
    progress: message('StatusResponse'),
  };
}

/** The shapes above are what `toObject` makes of the descriptions above: every field is there, numbers are numbers. */
function messageOf<T extends object>(type: Type): Message<T> {
  const whole = { defaults: true, arrays: true, longs: Number, bytes: Buffer };
  return {
    read: (bytes) => type.toObject(type.decode(bytes), whole) as T,
    write: (value) => Buffer.from(type.encode(type.fromObject(value)).finish()),
  };
}
