/** What a package.json says that matters to a build. */
import type { SourceTree } from '../source-tree.ts';

export interface NodeManifest {
  readonly main: string | null;
  readonly scripts: Readonly<Record<string, string>>;
  readonly nodeRange: string | null;
  /** The `packageManager` field, e.g. `pnpm@9.1.0+sha512...`. */
  readonly packageManager: string | null;
  /** Whether anything at all would be installed. */
  readonly hasDependencies: boolean;
  readonly hasDevDependencies: boolean;
}

/** Null without a package.json; throws BuildFailure `source` when it is malformed. */
export async function readNodeManifest(tree: SourceTree): Promise<NodeManifest | null> {
  const json = await tree.readJson('package.json');
  if (json === null) return null;
  const scripts: Record<string, string> = {};
  for (const [name, text] of Object.entries(record(json.scripts))) {
    if (typeof text === 'string') scripts[name] = text;
  }
  const some = (field: string): boolean => Object.keys(record(json[field])).length > 0;
  return {
    main: text(json.main),
    scripts,
    nodeRange: text(record(json.engines).node),
    packageManager: text(json.packageManager),
    hasDependencies:
      some('dependencies') || some('devDependencies') || some('optionalDependencies') || json.workspaces !== undefined,
    hasDevDependencies: some('devDependencies') || json.workspaces !== undefined,
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
