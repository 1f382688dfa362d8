import type { Build, BuildStatus } from '../../core/builds/build.ts';
import { derivedId } from './derived-id.ts';

const statuses: Readonly<Record<BuildStatus, string>> = {
  queued: 'queued',
  running: 'pending',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'failed',
};

export const buildStatus = (build: Build): string => statuses[build.status];

/** `key` is the app's, or its id when the app is gone. */
export const outputUrl = (build: Build, key: string, publicUrl: string): string =>
  `${publicUrl}/apps/${key}/builds/${build.id}/result`;

export function buildShape(build: Build, key: string, publicUrl: string) {
  const { checksum, version, commit, author, repository, message, branch } = build.description;
  return {
    app: { id: build.appId },
    buildpacks: null,
    created_at: build.createdAt.toISOString(),
    id: build.id,
    output_stream_url: outputUrl(build, key, publicUrl),
    source_blob: { checksum, url: '', version, commit, author, repo: repository, branch, message },
    release: null,
    slug: { id: build.id, number: build.number },
    status: buildStatus(build),
    updated_at: build.updatedAt.toISOString(),
    user: { id: derivedId(build.createdBy), email: '' },
  };
}
