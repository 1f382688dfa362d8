export function isInstalled(folder: string): boolean;
export function ensureDependencies(): Promise<void>;
