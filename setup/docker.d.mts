export interface WayToStart {
  readonly argv: readonly string[];
  readonly isService: boolean;
}
export function asks(socketPath: string): Promise<'yes' | 'forbidden' | 'no'>;
export function waysToStart(machine: {
  readonly systemd: boolean;
  readonly script: boolean;
  readonly dockerd: string | null;
}): readonly WayToStart[];
export function adviceFor(found: {
  readonly answer: 'yes' | 'forbidden' | 'no';
  readonly isRoot: boolean;
  readonly dockerd: string | null;
  readonly socketPath: string;
}): string;
export function socketOf(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { readonly socketPath: string; readonly isNeeded: boolean } | null;
