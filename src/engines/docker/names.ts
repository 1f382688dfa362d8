/** What objects of an install are called in Docker, and the labels that say whose they are. Names are the same for ever, so making is idempotent. */
import { createHash } from 'node:crypto';

export type Role = 'instance' | 'anchor' | 'pod' | 'helper' | 'mover' | 'look';

export const labels = {
  install: 'berth.install',
  role: 'berth.role',
  /** The space of anything that is in one. */
  space: 'berth.space',
  /** The key of a pod, on its holder and its members. */
  pod: 'berth.pod',
  /** JSON of an Identity, on instances. */
  identity: 'berth.instance',
  /** On images: the digest of the artifact inside. */
  artifact: 'berth.artifact',
} as const;

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

export class Names {
  readonly installId: string;
  readonly #prefix: string;

  constructor(installId: string) {
    this.installId = installId;
    this.#prefix = `berth-${installId}`;
  }

  get helper(): string {
    return `${this.#prefix}-helper`;
  }

  instance(id: string): string {
    return `${this.#prefix}-i-${id}`;
  }

  network(spaceId: string): string {
    return `${this.#prefix}-s-${short(spaceId)}`;
  }

  anchor(spaceId: string): string {
    return `${this.#prefix}-a-${short(spaceId)}`;
  }

  pod(key: string): string {
    return `${this.#prefix}-p-${short(key)}`;
  }

  volume(id: string): string {
    return `${this.#prefix}-v-${id}`;
  }

  /** A container through which a volume is read or filled. */
  mover(volumeId: string): string {
    return `${this.#prefix}-m-${short(volumeId)}`;
  }

  /** The id of a volume of this install; null for another's. */
  volumeId(name: string): string | null {
    const before = this.volume('');
    return name.startsWith(before) ? name.slice(before.length) : null;
  }

  /** What names of firewall chains begin with; the kernel allows 28 characters. */
  get chainPrefix(): string {
    return `BERTH-${this.installId.slice(0, 12)}`;
  }

  labels(role: Role, more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { [labels.install]: this.installId, [labels.role]: role, ...more };
  }

  /** A filter of the Engine API for objects of this install, all or of one role. */
  filters(role?: Role): { label: string[] } {
    const own = `${labels.install}=${this.installId}`;
    return { label: role === undefined ? [own] : [own, `${labels.role}=${role}`] };
  }
}
