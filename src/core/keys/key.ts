import type { Id } from '../names.ts';

/** A user's public SSH key. One key belongs to one user of the platform: it says who knocks at the SSH door. */
export interface Key {
  readonly id: Id<'key'>;
  readonly userId: Id<'user'>;
  /** The user's own name for it, unique among theirs. */
  readonly name: string;
  /** As in the key's text, e.g. `ssh-ed25519`. */
  readonly type: string;
  /** One OpenSSH line: type, base64, and the comment if there was one. */
  readonly content: string;
  /** `SHA256:` and the hash of the key in base64 without padding, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly createdAt: Date;
}

export interface KeyStore {
  /** By name, then id. */
  listOfUser(userId: Id<'user'>): Promise<readonly Key[]>;
  findByFingerprint(fingerprint: string): Promise<Key | null>;
  /** Throws conflict `key-exists` when any user has the key, or this one the name. */
  insert(key: Key): Promise<void>;
  remove(id: Id<'key'>): Promise<void>;
}
