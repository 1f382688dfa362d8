/** From the core's events to this API's: which of them it has, of what type they are there, and with what `type_data`. */
import type { EventKind, PlatformEvent } from '../../../core/events/event.ts';
import type { EventSelection } from '../../../core/events/event-selection.ts';
import { shortId } from '../../../core/names.ts';
import { containerLabel } from '../container-label.ts';
import { numberOf, objectOf, textOf } from './event-data.ts';
import type { EventType } from './event-types.ts';
import type { EventReader } from './reader.ts';
import { formation } from './scale-data.ts';
import { variableChange } from './variable-events.ts';

export interface TypedData {
  readonly type: EventType;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Source extends EventSelection {
  readonly kinds: readonly [EventKind];
  readonly read: (event: PlatformEvent, reader: EventReader) => TypedData;
}

const ofType =
  (
    type: EventType,
    data: (event: PlatformEvent, reader: EventReader) => TypedData['data'] = () => ({}),
  ): Source['read'] =>
  (event, reader) => ({ type, data: data(event, reader) });

const sources: readonly Source[] = [
  { kinds: ['AppCreated'], read: ofType('new_app') },
  {
    kinds: ['AppRenamed'],
    read: ofType('rename_app', ({ data }) => ({
      old_name: textOf(data, 'oldHandle'),
      new_name: textOf(data, 'newHandle'),
    })),
  },
  {
    kinds: ['AppTransferred'],
    read: ofType('transfer_app', ({ data }) => ({
      old_owner: person(objectOf(data, 'oldOwner')),
      new_owner: person(objectOf(data, 'newOwner')),
    })),
  },
  { kinds: ['AppDeleted'], read: ofType('delete_app') },
  { kinds: ['AppRestarted'], read: ofType('restart', restarted) },
  {
    kinds: ['AppScaled'],
    read: ofType('scale', ({ data }, { amountsAsText }) => ({
      previous_containers: formation(objectOf(data, 'previous'), amountsAsText),
      containers: formation(objectOf(data, 'current'), amountsAsText),
    })),
  },
  { kinds: ['AppStopped'], read: ofType('stop_app', ({ actorName }) => ({ reason: `stopped by ${actorName}` })) },
  {
    kinds: ['InstanceCrashed'],
    read: ofType('crash', ({ data }) => ({
      container_type: textOf(data, 'type'),
      crash_logs: textOf(data, 'message'),
    })),
  },
  {
    kinds: ['CommandExecuted'],
    has: 'command',
    read: ofType('run', ({ data }) => ({
      command: textOf(data, 'command'),
      detached: data.detached === true,
    })),
  },
  { kinds: ['ReleaseSucceeded'], data: { kind: 'deploy' }, read: deployed(() => 'success') },
  { kinds: ['ReleaseFailed'], data: { kind: 'deploy' }, read: deployed(failedAs) },
  { kinds: ['BuildFailed'], has: 'by', read: deployed(() => 'build-error') },
  { kinds: ['BuildCancelled'], has: 'by', read: deployed(() => 'aborted') },
  { kinds: ['ConfigChanged'], read: variableChange },
  { kinds: ['AddonReady'], read: ofType('new_addon', addon) },
  {
    kinds: ['AddonUpgraded'],
    read: ofType('upgrade_addon', (event) => ({
      ...addon(event),
      old_plan_name: textOf(event.data, 'oldPlan'),
      new_plan_name: textOf(event.data, 'plan'),
    })),
  },
  { kinds: ['AddonRemoved'], read: ofType('delete_addon', addon) },
  {
    kinds: ['DomainAdded'],
    read: ofType('new_domain', ({ data }) => ({ ...domain(data), ssl: data.certificate === true })),
  },
  {
    kinds: ['CertificateSet'],
    // One that came with its domain is told by `new_domain`.
    data: { withDomain: false },
    read: ofType('edit_domain', ({ data }) => ({ ...domain(data), ssl: true, old_ssl: data.replaced === true })),
  },
  {
    kinds: ['CertificateRemoved'],
    read: ofType('edit_domain', ({ data }) => ({ ...domain(data), ssl: false, old_ssl: true })),
  },
  { kinds: ['DomainRemoved'], read: ofType('delete_domain', ({ data }) => domain(data)) },
  { kinds: ['CollaboratorInvited'], read: ofType('new_collaborator', collaborator) },
  {
    kinds: ['CollaboratorAccepted'],
    read: ofType('accept_collaborator', (event) => {
      const inviter = objectOf(event.data, 'inviter');
      // The documents have it within; a client of the time reads it beside.
      return {
        collaborator: { ...collaborator(event).collaborator, inviter },
        inviter,
      };
    }),
  },
  { kinds: ['CollaboratorRemoved'], read: ofType('delete_collaborator', collaborator) },
  {
    kinds: ['KeyAdded'],
    read: ofType('new_key', ({ data }) => ({ name: textOf(data, 'key'), fingerprint: textOf(data, 'fingerprint') })),
  },
  { kinds: ['KeyRemoved'], read: ofType('delete_key', ({ data }) => ({ name: textOf(data, 'key') })) },
];

const byKind = new Map(sources.map((source) => [source.kinds[0], source]));

/** All that this API shows. */
export const shownEvents: readonly EventSelection[] = sources.map(({ kinds, data, has }) => ({
  kinds,
  ...(data === undefined ? {} : { data }),
  ...(has === undefined ? {} : { has }),
}));

/** Throws for a kind that `shownEvents` does not choose. */
export function typedData(event: PlatformEvent, reader: EventReader): TypedData {
  const source = byKind.get(event.kind);
  if (source === undefined) throw new Error(`events of kind ${event.kind} are not shown by this API`);
  return source.read(event, reader);
}

function restarted({ data }: PlatformEvent): TypedData['data'] {
  const [type, addonName] = [textOf(data, 'type'), textOf(data, 'addon')];
  const ordinal = data.ordinal;
  const one = typeof ordinal === 'number' ? containerLabel({ processType: type, ordinal }) : type;
  return {
    scope: type === '' ? null : [one],
    ...(addonName === '' ? {} : { addon_provider: textOf(data, 'serviceLabel'), addon_name: addonName }),
  };
}

function deployed(statusOf: (event: PlatformEvent) => string): Source['read'] {
  return ofType('deployment', (event) => ({
    deployment_id: textOf(event.data, 'build'),
    deployment_uuid: textOf(event.data, 'build'),
    pusher: textOf(event.data, 'by'),
    git_ref: textOf(event.data, 'commit'),
    status: statusOf(event),
    duration: numberOf(event.data, 'seconds'),
    finished_at: event.at.toISOString(),
  }));
}

function failedAs({ data }: PlatformEvent): string {
  const code = textOf(data, 'code');
  if (code === 'cancelled') return 'aborted';
  return code === 'H20' ? 'timeout-error' : 'crashed-error';
}

function addon({ data }: PlatformEvent): TypedData['data'] {
  return {
    addon_provider_name: textOf(data, 'serviceLabel') || textOf(data, 'service'),
    plan_name: textOf(data, 'plan'),
    resource_id: textOf(data, 'resource'),
  };
}

const domain = (data: PlatformEvent['data']): { readonly hostname: string } => ({ hostname: textOf(data, 'domain') });

function collaborator({ data }: PlatformEvent): { readonly collaborator: TypedData['data'] } {
  const { id, email, username } = objectOf(data, 'collaborator');
  return {
    collaborator: {
      ...(typeof id === 'string' ? { id: shortId(id) } : {}),
      email,
      ...(typeof username === 'string' ? { username } : {}),
    },
  };
}

const person = ({ id, username, email }: PlatformEvent['data']): TypedData['data'] | null =>
  typeof id === 'string' ? { id: shortId(id), username, email } : null;
