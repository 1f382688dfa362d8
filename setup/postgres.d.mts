export function systemPostgres(versions?: string): string | null;
export function hydrateLinks(packageFolder: string): void;
export function ensurePostgres(): Promise<void>;
