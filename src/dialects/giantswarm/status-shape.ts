/** How a tree shows in `status`: worst wins on every level. */
import type { Release } from '../../core/releases/release.ts';
import type { AppTree, ComponentView, Seat, ServiceView } from './app-tree.ts';

export type Status = 'up' | 'starting' | 'stopping' | 'down' | 'failed';

const worstFirst: readonly Status[] = ['failed', 'down', 'starting', 'stopping', 'up'];
const worst = (statuses: readonly Status[]): Status => worstFirst.find((status) => statuses.includes(status)) ?? 'down';

/** Of a seat: what sits in it, or, while nobody does, whether somebody is about to. */
export function seatStatus({ instance }: Pick<Seat, 'instance'>, wanted: boolean): Status {
  switch (instance?.state) {
    case 'ready':
      return 'up';
    case 'starting':
      return 'starting';
    case 'crashed':
      return 'failed';
    case 'draining':
      return 'stopping';
    default:
      return wanted ? 'starting' : 'down';
  }
}

/** With seconds, as the documents show it. */
const dateText = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

export function componentShape(tree: AppTree, component: ComponentView) {
  const { process, seats, wanted, image } = component;
  const instances = seats.map((seat) => ({
    create_date: dateText(seat.instance?.createdAt ?? process.createdAt),
    id: seat.id,
    image: releasedTo(tree, seat)?.processes[process.type]?.image ?? image,
    image_hash: seat.instance?.state === 'ready' ? hashOf(releasedTo(tree, seat), process.type) : '',
    status: seatStatus(seat, wanted),
  }));
  return {
    instances,
    max: component.max,
    min: component.min,
    name: component.name,
    // Scaled to nothing (elsewhere) it is down.
    status: worst(instances.map(({ status }) => status)),
  };
}

const releasedTo = ({ startedBy }: AppTree, { instance }: Seat): Release | null =>
  instance === null ? null : (startedBy.get(instance.releaseId) ?? null);

/** The 64 hex digits of what the release has for the process. */
function hashOf(release: Release | null, type: string): string {
  const digest = release?.processes[type]?.artifactDigest ?? release?.artifactDigest ?? '';
  return digest.replace(/^sha256:/, '');
}

export function serviceShape(tree: AppTree, service: ServiceView) {
  const components = service.components.map((component) => componentShape(tree, component));
  return {
    components,
    max: service.max,
    min: service.min,
    name: service.name,
    status: worst(components.map(({ status }) => status)),
  };
}

export function appShape(tree: AppTree) {
  const services = tree.services.map((service) => serviceShape(tree, service));
  return { name: tree.name, services, status: worst(services.map(({ status }) => status)) };
}
